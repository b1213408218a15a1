#!/usr/bin/env python3
"""Makes src/registry/managed_fields/structure.txt: how the fields of our kinds are owned, merged and compared.

Which fields there are is read from src/api/schema/types.deflate (schema/generate.py). What that does not say is here: the
lists, maps and objects that Kubernetes 1.34's OpenAPI document marks with x-kubernetes-list-type, x-kubernetes-list-map-keys
and x-kubernetes-map-type. Every other list is atomic, every other map and object is owned field by field.
Run it after the schema has been updated: python3 src/registry/managed_fields/generate.py
"""
import json, os, zlib

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))

# x-kubernetes-list-type: map, with the fields that name an item. A key that may be missing has a default.
LISTS_BY_KEY = {
    "ObjectMeta.ownerReferences": "uid",
    "PodSpec.containers PodSpec.initContainers PodSpec.ephemeralContainers PodSpec.volumes PodSpec.imagePullSecrets": "name",
    "PodSpec.schedulingGates PodSpec.resourceClaims ResourceRequirements.claims": "name",
    "PodSpec.hostAliases": "ip",
    "PodSpec.topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
    "Container.ports EphemeralContainer.ports": "containerPort,protocol=TCP",
    "Container.env EphemeralContainer.env": "name",
    "Container.volumeMounts EphemeralContainer.volumeMounts ContainerStatus.volumeMounts": "mountPath",
    "Container.volumeDevices EphemeralContainer.volumeDevices": "devicePath",
    "ContainerStatus.allocatedResourcesStatus PodStatus.resourceClaimStatuses": "name",
    "ResourceStatus.resources": "resourceID",
    "PodStatus.conditions NamespaceStatus.conditions NodeStatus.conditions NodeStatus.addresses ServiceStatus.conditions": "type",
    "PersistentVolumeClaimStatus.conditions StatefulSetStatus.conditions": "type",
    "PodStatus.podIPs": "ip",
    "ServiceSpec.ports": "port,protocol=TCP",
    "ServiceAccount.secrets": "name",
}
# x-kubernetes-list-type: set.
SETS = """ObjectMeta.finalizers NodeSpec.podCIDRs Endpoint.addresses UncountedTerminatedPods.failed
UncountedTerminatedPods.succeeded PodFailurePolicyOnExitCodesRequirement.values""".split()
# x-kubernetes-map-type: atomic, of a map.
ATOMIC_MAPS = "PodSpec.nodeSelector ServiceSpec.selector".split()
# x-kubernetes-map-type: atomic, of an object.
ATOMIC_TYPES = """ConfigMapKeySelector FileKeySelector LabelSelector LocalObjectReference NodeSelector NodeSelectorTerm
ObjectFieldSelector ObjectReference OwnerReference ResourceFieldSelector RoleRef ScopeSelector SecretKeySelector
Subject TypedLocalObjectReference discovery::v1::EndpointPort""".split()
SCALARS = {"string": "s", "integer": "i", "boolean": "b"}


def main():
    packed = open(os.path.join(ROOT, "src/api/schema/types.deflate"), "rb").read()
    types = json.loads(zlib.decompress(packed, -15))["types"]
    by_key = {field: keys for fields, keys in LISTS_BY_KEY.items() for field in fields.split()}
    named = {*by_key, *SETS, *ATOMIC_MAPS}
    for field in named:
        owner, _, name = field.rpartition(".")
        assert name in types[owner]["fields"], field
    for name in ATOMIC_TYPES:
        assert name in types, name

    def of(field, kind, leads):
        if kind.startswith("[]"):
            inner = of(None, kind[2:], leads)
            if field in by_key:
                return "{%s}%s" % (by_key[field], inner)
            return f"<{inner}>" if field in SETS else f"[{inner}]"
        if kind.startswith("map[string]"):
            inner = of(None, kind[len("map[string]"):], leads)
            return ("%!" if field in ATOMIC_MAPS else "%") + inner
        return f"@{leads}" if leads else SCALARS.get(kind, "u")

    lines = []
    for name, found in sorted(types.items()):
        fields = [f"{field}={of(f'{name}.{field}', kind[0], kind[1])}" for field, kind in sorted(found["fields"].items())]
        lines.append(" ".join([name + ("!" if name in ATOMIC_TYPES else ""), *fields]))
    path = os.path.join(ROOT, "src/registry/managed_fields/structure.txt")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{len(lines)} types, {os.path.getsize(path)} bytes")


main()
