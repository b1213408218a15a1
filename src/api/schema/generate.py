#!/usr/bin/env python3
"""Makes src/api/schema/types.deflate: what the API says of the fields of our kinds, for `explain` and for OpenAPI documents.

The texts are those of Kubernetes' OpenAPI document, which the crate k8s-openapi carries. Needs nothing but Python and the
crate's source, which cargo has fetched. Run it after k8s-openapi has been updated: python3 src/api/schema/generate.py
"""
import json, os, re, subprocess, sys, zlib

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
# What explain begins with: the kinds of src/api/kinds.rs.
KINDS = """core.v1.ConfigMap core.v1.Endpoints core.v1.Event core.v1.LimitRange core.v1.Namespace core.v1.Node
core.v1.PersistentVolumeClaim core.v1.Pod core.v1.ResourceQuota core.v1.Secret core.v1.ServiceAccount core.v1.Service
apps.v1.ControllerRevision apps.v1.StatefulSet batch.v1.CronJob batch.v1.Job discovery.v1.EndpointSlice
networking.v1.NetworkPolicy rbac.v1.ClusterRoleBinding rbac.v1.ClusterRole rbac.v1.RoleBinding rbac.v1.Role
scheduling.v1.PriorityClass""".split()

# What a server takes and answers beside them.
OTHERS = """api::events::v1::Event api::authorization::v1::SelfSubjectAccessReview
api::authorization::v1::SelfSubjectRulesReview api::authentication::v1::SelfSubjectReview api::policy::v1::Eviction
api::autoscaling::v1::Scale apimachinery::pkg::apis::meta::v1::DeleteOptions apimachinery::pkg::apis::meta::v1::Status
apimachinery::pkg::apis::meta::v1::ListMeta""".split()

# How lists are merged by strategic merge patches: strategy and key, which the crate does not carry.
PATCH = {
    "PodSpec": {"containers": "merge name", "initContainers": "merge name", "ephemeralContainers": "merge name",
                "volumes": "merge,retainKeys name", "imagePullSecrets": "merge name", "hostAliases": "merge ip",
                "topologySpreadConstraints": "merge topologyKey", "schedulingGates": "merge name",
                "resourceClaims": "merge,retainKeys name"},
    "Container": {"env": "merge name", "ports": "merge containerPort", "volumeMounts": "merge mountPath",
                  "volumeDevices": "merge devicePath"},
    "ContainerStatus": {"volumeMounts": "merge mountPath", "allocatedResourcesStatus": "merge name"},
    "ServiceSpec": {"ports": "merge port"}, "ServiceAccount": {"secrets": "merge name"},
    "ObjectMeta": {"ownerReferences": "merge uid", "finalizers": "merge"},
    "PodStatus": {"conditions": "merge type", "podIPs": "merge ip", "hostIPs": "merge ip",
                  "resourceClaimStatuses": "merge,retainKeys name"},
    "NodeSpec": {"podCIDRs": "merge"}, "NodeStatus": {"conditions": "merge type", "addresses": "merge type"},
    **{of: {"conditions": "merge type"} for of in
       ["JobStatus", "NamespaceStatus", "PersistentVolumeClaimStatus", "ServiceStatus", "StatefulSetStatus"]},
}
PATCH["EphemeralContainer"] = PATCH["Container"]

# Lists whose elements are told apart by other fields than by those that patches go by.
KEYS = {"Container.ports": "containerPort,protocol", "EphemeralContainer.ports": "containerPort,protocol",
        "ServiceSpec.ports": "port,protocol", "PodSpec.topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
        "JobStatus.conditions": "", "PodStatus.hostIPs": ""}


# The words that a field takes, which the crate does not carry.
ENUMS = {
    "JobSpec.completionMode": "Indexed NonIndexed",
    "JobSpec.podReplacementPolicy": "Failed TerminatingOrFailed",
    "CronJobSpec.concurrencyPolicy": "Allow Forbid Replace",
    "PodFailurePolicyRule.action": "Count FailIndex FailJob Ignore",
    "PodFailurePolicyOnExitCodesRequirement.operator": "In NotIn",
    "PodSpec.dnsPolicy": "ClusterFirst ClusterFirstWithHostNet Default None",
    "PodSpec.preemptionPolicy": "Never PreemptLowerPriority",
    "PodSpec.restartPolicy": "Always Never OnFailure",
    "PodStatus.phase": "Failed Pending Running Succeeded Unknown",
    "PodStatus.qosClass": "BestEffort Burstable Guaranteed",
    "Container.imagePullPolicy": "Always IfNotPresent Never",
    "Container.terminationMessagePolicy": "FallbackToLogsOnError File",
    "EphemeralContainer.imagePullPolicy": "Always IfNotPresent Never",
    "EphemeralContainer.terminationMessagePolicy": "FallbackToLogsOnError File",
    "ContainerPort.protocol": "SCTP TCP UDP",
    "EndpointPort.protocol": "SCTP TCP UDP",
    "HTTPGetAction.scheme": "HTTP HTTPS",
    "NodeSelectorRequirement.operator": "DoesNotExist Exists Gt In Lt NotIn",
    "PodSecurityContext.fsGroupChangePolicy": "Always OnRootMismatch",
    "PodSecurityContext.supplementalGroupsPolicy": "Merge Strict",
    "SeccompProfile.type": "Localhost RuntimeDefault Unconfined",
    "AppArmorProfile.type": "Localhost RuntimeDefault Unconfined",
    "SecurityContext.procMount": "Default Unmasked",
    "Taint.effect": "NoExecute NoSchedule PreferNoSchedule",
    "Toleration.effect": "NoExecute NoSchedule PreferNoSchedule",
    "Toleration.operator": "Equal Exists",
    "TopologySpreadConstraint.nodeAffinityPolicy": "Honor Ignore",
    "TopologySpreadConstraint.nodeTaintsPolicy": "Honor Ignore",
    "TopologySpreadConstraint.whenUnsatisfiable": "DoNotSchedule ScheduleAnyway",
    "VolumeMount.mountPropagation": "Bidirectional HostToContainer None",
    "PersistentVolumeClaimSpec.volumeMode": "Block Filesystem",
    "PersistentVolumeClaimStatus.phase": "Bound Lost Pending",
    "ScopedResourceSelectorRequirement.operator": "DoesNotExist Exists In NotIn",
    "ServiceSpec.externalTrafficPolicy": "Cluster Local",
    "ServiceSpec.internalTrafficPolicy": "Cluster Local",
    "ServiceSpec.ipFamilyPolicy": "PreferDualStack RequireDualStack SingleStack",
    "ServiceSpec.sessionAffinity": "ClientIP None",
    "ServiceSpec.type": "ClusterIP ExternalName LoadBalancer NodePort",
    "ServicePort.protocol": "SCTP TCP UDP",
    "StatefulSetSpec.podManagementPolicy": "OrderedReady Parallel",
    "StatefulSetUpdateStrategy.type": "OnDelete RollingUpdate",
    "NamespaceStatus.phase": "Active Terminating",
    "EndpointSlice.addressType": "FQDN IPv4 IPv6",
    "NetworkPolicyPort.protocol": "SCTP TCP UDP",
    "PriorityClass.preemptionPolicy": "Never PreemptLowerPriority",
}


def source():
    told = subprocess.run(["cargo", "metadata", "--format-version=1"], cwd=ROOT, capture_output=True, check=True)
    packages = json.loads(told.stdout)["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "k8s-openapi")
    return os.path.join(os.path.dirname(manifest), "src/v1_34")


def schemas(directory):
    """Every type by its path in the crate, such as api::batch::v1::Job."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            text = open(os.path.join(folder, name)).read()
            for match in re.finditer(r"impl crate::schemars::JsonSchema for (\w+) \{", text):
                body = text[match.end():]
                begin = body.find("json_schema!(")
                if begin < 0:
                    continue
                module = os.path.relpath(folder, directory).replace("/", "::")
                schema = parse(body, begin + len("json_schema!("))
                name = re.search(r'"([\w.]+)"\.into\(\)', body[:begin])
                if schema is not None and name is not None:
                    schema.update(lists=lists(text, match[1]), name=name[1])
                    found[f"{module}::{match[1]}"] = schema
    return found


def lists(text, name):
    """How the lists of a type are merged: by which fields (in snake case), as a set, or as one."""
    begin = text.find(f"DeepMerge for {name} {{")
    body = text[begin:text.find("\nimpl", begin)] if begin >= 0 else ""
    found = {field: how for how, field in re.findall(r"list::(atomic|set)\(&mut self\.(?:r#)?(\w+)", body)}
    for field, keys in re.findall(r"list::map\(\s*&mut self\.(?:r#)?(\w+),.*?&\[(.*?)\],\n", body, re.S):
        found[field] = "map " + ",".join(re.findall(r"lhs\.(?:r#)?(\w+)", keys))
    return found


def parse(text, at):
    """The JSON of json_schema!, in which references are Rust code."""
    out, depth = [], 0
    while True:
        c = text[at]
        if c == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            out.append(text[at:end + 1])
            at = end + 1
            continue
        if c == "(":
            end, level, in_text = at, 0, False
            while True:
                if in_text:
                    if text[end] == "\\":
                        end += 1
                    elif text[end] == '"':
                        in_text = False
                elif text[end] == '"':
                    in_text = True
                elif text[end] == "(":
                    level += 1
                elif text[end] == ")":
                    level -= 1
                    if level == 0:
                        break
                end += 1
            code = text[at:end + 1]
            path = re.search(r"subschema_for::<crate::([\w:]+)>", code)
            if path is None:
                # A list of whatever, or the like.
                return None
            path = path[1]
            said = re.search(r'insert\("description"\.into\(\), ("(?:[^"\\]|\\.)*")', code)
            out.append(json.dumps({"$ref": path}) if not said else '{"$ref": %s, "description": %s}' % (json.dumps(path), said[1]))
            at = end + 1
            continue
        depth += {"{": 1, "}": -1}.get(c, 0)
        out.append(c)
        at += 1
        if depth == 0:
            break
    written = re.sub(r",(\s*[}\]])", r"\1", "".join(out))
    written = re.sub(r'\\u\{([0-9a-fA-F]+)\}', lambda m: "\\u%04x" % int(m[1], 16), written)
    return json.loads(written.replace("\\'", "'"), strict=False)


def main():
    known = schemas(source())
    by_path = {}
    for kind in KINDS:
        group, version, name = kind.split(".")
        by_path[f"api::{group}::{version}::{name}"] = name
    types, names = {}, {}
    wrong = []

    def short(path):
        """Names are those of the types; `explain` shows them."""
        name = path.split("::")[-1]
        if names.setdefault(name, path) != path:
            # Two types of one name: `explain` shows both by it.
            name = "::".join(path.split("::")[-3:])
        return name

    def of(schema):
        """The type as `explain` writes it, and the type that it leads to."""
        if "$ref" in schema:
            path = schema["$ref"]
            target = known[path]
            if "properties" in target:
                walk(path)
                return short(path), short(path)
            if target.get("x-kubernetes-int-or-string"):
                return {"Quantity": "Quantity", "IntOrString": "IntOrString"}[path.split("::")[-1]], ""
            name = path.split("::")[-1]
            return {"FieldsV1": "FieldsV1", "RawExtension": "Object"}.get(name, target.get("type", name) if name not in ("Time", "MicroTime") else name), ""
        kind = schema.get("type", "Object")
        if kind == "array":
            inner, leads = of(schema["items"])
            return "[]" + inner, leads
        if kind == "object" and "additionalProperties" in schema:
            inner, leads = of(schema["additionalProperties"])
            return "map[string]" + inner, leads
        return kind, ""

    def walk(path):
        name = short(path)
        if name in types:
            return
        schema = known[path]
        types[name] = entry = {"name": schema["name"], "description": schema.get("description", ""), "required": [], "fields": {}}
        is_root = path in by_path or path.endswith("ObjectMeta")
        entry["required"] = [field for field in schema.get("required", []) if not (is_root and field == "metadata")]
        for field, inner in schema.get("properties", {}).items():
            written, leads = of(inner)
            described = inner.get("description", "")
            entry["fields"][field] = [written, leads, described]
            more = [ENUMS.get(f"{name}.{field}", ""), format_of(inner), list_type(name, field, schema), patch_of(name, field)]
            while more and not more[-1]:
                more.pop()
            entry["fields"][field] += more

    def format_of(schema):
        """The format of a plain value, or of many."""
        inner = schema.get("items") or schema.get("additionalProperties")
        return format_of(inner) if inner else schema.get("format", "")

    def list_type(name, field, schema):
        """`atomic`, `set`, or `map` and the fields that tell elements apart."""
        if schema["properties"][field].get("type") != "array":
            return ""
        how = schema["lists"].get(re.sub(r"_(?=s$|s_)", "", re.sub(r"([a-z])([A-Z])", r"\1_\2", field)).lower(), "atomic")
        if f"{name}.{field}" in KEYS:
            keys = KEYS[f"{name}.{field}"]
            return "map " + keys if keys else "atomic"
        return re.sub(r"_(\w)", lambda match: match[1].upper(), re.sub(r"_\b", "", how)).replace("resourceId", "resourceID")

    def patch_of(name, field):
        patch = PATCH.get(name, {}).get(field, "")
        if patch and " " in patch and not types[name]["fields"][field][0].startswith(("[]", "map")):
            wrong.append(f"{name}.{field}")
        return patch

    for path in [*by_path, *OTHERS]:
        walk(path)
    wrong += [f"{name}.{field}" for name in PATCH for field in PATCH[name] if field not in types[name]["fields"]]
    if wrong:
        sys.exit(f"no such lists: {wrong}")
    # Descriptions of what is no object: explain of such a field shows them.
    plain = {}
    for path, schema in known.items():
        name = path.split("::")[-1]
        if name in ("Quantity", "IntOrString", "Time", "MicroTime", "FieldsV1", "RawExtension", "JSON"):
            plain[name] = schema.get("description", "")
    written = json.dumps({"types": types, "plain": plain}, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(written) + packer.flush()
    open(os.path.join(ROOT, "src/api/schema/types.deflate"), "wb").write(packed)
    print(f"{len(types)} types, {len(written)} bytes, {len(packed)} packed")


if __name__ == "__main__":
    main()
