#!/usr/bin/env python3
"""Makes src/serve/protobuf/fields.deflate: the number and the type of every field that a protobuf body may hold.

The numbers are those of Kubernetes' generated.proto files, which the crate k8s-pb carries; how JSON calls the fields is what
the crate k8s-openapi says. Needs nothing but Python and cargo, which fetches both. Run it after k8s-openapi has been updated:
python3 src/serve/protobuf/generate.py
"""
import json, os, re, subprocess, sys, tempfile, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../api/schema"))
from generate import KINDS, schemas, source

# The version whose fields are those of our API, or more.
K8S_PB = "=0.9.0"

# What clients send beside the kinds of src/api/kinds.rs.
OTHERS = """events.v1.Event authorization.v1.SelfSubjectAccessReview authorization.v1.SelfSubjectRulesReview
authentication.v1.SelfSubjectReview policy.v1.Eviction autoscaling.v1.Scale meta.v1.DeleteOptions""".split()

GROUPS = {
    "core": "", "rbac": "rbac.authorization.k8s.io", "authorization": "authorization.k8s.io", "meta": "",
    "authentication": "authentication.k8s.io", "networking": "networking.k8s.io", "discovery": "discovery.k8s.io",
    "scheduling": "scheduling.k8s.io", "events": "events.k8s.io",
}

# Types that JSON writes in a way of their own.
SPECIAL = {
    "apimachinery::pkg::api::resource::quantity": "quantity",
    "apimachinery::pkg::apis::meta::v1::time": "time",
    "apimachinery::pkg::apis::meta::v1::microtime": "microtime",
    "apimachinery::pkg::util::intstr::intorstring": "intorstring",
    "apimachinery::pkg::runtime::rawextension": "raw",
    "apimachinery::pkg::apis::meta::v1::fieldsv1": "raw",
    "api::authentication::v1::extravalue": "strings",
}

# Numbers and truths that JSON leaves out where they are 0 or false: a body holds them always. All others stand in one only
# where somebody has set them, and mean what they say.
SENT_AS_NOTHING = set("""
StatefulSetSpec.minReadySeconds StatefulSetStatus.availableReplicas StatefulSetStatus.currentReplicas
StatefulSetStatus.observedGeneration StatefulSetStatus.readyReplicas StatefulSetStatus.updatedReplicas
SubjectAccessReviewStatus.denied JobStatus.active JobStatus.failed JobStatus.succeeded Probe.failureThreshold
Probe.initialDelaySeconds Probe.periodSeconds Probe.successThreshold Probe.timeoutSeconds
AWSElasticBlockStoreVolumeSource.partition AWSElasticBlockStoreVolumeSource.readOnly AzureFileVolumeSource.readOnly
CephFSVolumeSource.readOnly CinderVolumeSource.readOnly Container.stdin Container.stdinOnce Container.tty
ephemeralcontainercommon.stdin ephemeralcontainercommon.stdinOnce ephemeralcontainercommon.tty ContainerImage.sizeBytes
ContainerPort.hostPort ContainerStateTerminated.signal Event.count EventSeries.count FCVolumeSource.readOnly
FlexVolumeSource.readOnly GCEPersistentDiskVolumeSource.partition GCEPersistentDiskVolumeSource.readOnly
GlusterfsVolumeSource.readOnly ISCSIVolumeSource.chapAuthDiscovery ISCSIVolumeSource.chapAuthSession
ISCSIVolumeSource.readOnly NFSVolumeSource.readOnly NodeSpec.unschedulable PersistentVolumeClaimVolumeSource.readOnly
PodCondition.observedGeneration PodSpec.hostIPC PodSpec.hostNetwork PodSpec.hostPID PodStatus.observedGeneration
PortworxVolumeSource.readOnly QuobyteVolumeSource.readOnly RBDVolumeSource.readOnly ScaleIOVolumeSource.readOnly
ScaleIOVolumeSource.sslEnabled ServicePort.nodePort ServiceSpec.healthCheckNodePort ServiceSpec.publishNotReadyAddresses
StorageOSVolumeSource.readOnly VolumeMount.readOnly VolumeMountStatus.readOnly Event.deprecatedCount
Condition.observedGeneration ObjectMeta.generation PriorityClass.globalDefault
""".split())

# Texts that stand in a body only where somebody has set them, even to nothing; JSON leaves all others out where they are empty.
SET_TO_NOTHING = set("""
CronJobSpec.timeZone JobSpec.completionMode JobSpec.managedBy JobSpec.podReplacementPolicy JobStatus.failedIndexes
PodFailurePolicyOnExitCodesRequirement.containerName AppArmorProfile.localhostProfile SeccompProfile.localhostProfile
PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeAttributesClassName
PersistentVolumeClaimSpec.volumeMode PersistentVolumeClaimStatus.currentVolumeAttributesClassName
HostPathVolumeSource.type Container.restartPolicy ephemeralcontainercommon.restartPolicy Lifecycle.stopSignal
ContainerStatus.stopSignal PodSpec.preemptionPolicy PodSpec.runtimeClassName PodSpec.hostnameOverride
PodSecurityContext.fsGroupChangePolicy PodSecurityContext.seLinuxChangePolicy PodSecurityContext.supplementalGroupsPolicy
SecurityContext.procMount ServicePort.appProtocol ServiceSpec.internalTrafficPolicy ServiceSpec.ipFamilyPolicy
ServiceSpec.loadBalancerClass ServiceSpec.trafficDistribution TopologySpreadConstraint.nodeAffinityPolicy
TopologySpreadConstraint.nodeTaintsPolicy TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
TypedObjectReference.namespace VolumeMount.mountPropagation VolumeMount.recursiveReadOnly
VolumeMountStatus.recursiveReadOnly WindowsSecurityContextOptions.gmsaCredentialSpec
WindowsSecurityContextOptions.gmsaCredentialSpecName WindowsSecurityContextOptions.runAsUserName Endpoint.hostname
Endpoint.nodeName Endpoint.zone EndpointPort.appProtocol EndpointAddress.nodeName DeleteOptions.propagationPolicy
Preconditions.resourceVersion Preconditions.uid NetworkPolicyPort.protocol PriorityClass.preemptionPolicy
PodDNSConfigOption.value CSIVolumeSource.fsType AzureDiskVolumeSource.cachingMode AzureDiskVolumeSource.fsType
AzureDiskVolumeSource.kind GRPCAction.service LoadBalancerIngress.ipMode PodResourceClaim.resourceClaimName
PodResourceClaim.resourceClaimTemplateName PodResourceClaimStatus.resourceClaimName ISCSIVolumeSource.initiatorName
ClusterTrustBundleProjection.name ClusterTrustBundleProjection.signerName PortStatus.error
""".split())


def is_kept(name, field, of):
    """Whether a plain field that may be left out means something where it is nothing."""
    field = f"{name.split('.')[-1]}.{field}"
    return field in SET_TO_NOTHING if of == "string" else field not in SENT_AS_NOTHING


def crate():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "src"))
        open(os.path.join(folder, "src/lib.rs"), "w").close()
        with open(os.path.join(folder, "Cargo.toml"), "w") as manifest:
            manifest.write('[package]\nname = "fields"\nversion = "0.0.0"\nedition = "2021"\n'
                           '[dependencies]\nk8s-pb = { version = "%s", default-features = false }\n' % K8S_PB)
        told = subprocess.run(["cargo", "metadata", "--format-version=1"], cwd=folder, capture_output=True, check=True)
    packages = json.loads(told.stdout)["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "k8s-pb")
    return os.path.join(os.path.dirname(manifest), "src")


def messages(directory):
    """Every message by its path in small letters: its fields, as (number, name, form, type, path of a message)."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            module = os.path.relpath(folder, directory).replace("/", "::")
            lines = [line.strip() for line in open(os.path.join(folder, name)) if not line.strip().startswith("//")]
            text = " ".join(lines)
            for match in re.finditer(r"pub struct (\w+) \{(.*?)\}", text):
                fields = []
                for spec, field, rust in re.findall(r"#\[prost\(((?:[^()])*)\)\] pub (?:r#)?(\w+): (.*?),? ?(?=#\[prost|$)", match[2].strip()):
                    number = int(re.search(r'tag = "(\d+)"', spec)[1])
                    form = "[]" if "repeated" in spec else "{}" if "btree_map" in spec else ""
                    of = re.search(r'btree_map = "string, (\w+)"', spec) or re.match(r"(\w+)", spec)
                    path = ""
                    if of[1] == "message":
                        rust = re.findall(r"[\w:]+", rust)[-1]
                        parts = module.split("::")
                        while rust.startswith("super::"):
                            parts.pop()
                            rust = rust[len("super::"):]
                        path = "::".join(parts + [rust]).lower()
                    fields.append((number, field, form, of[1], path))
                found[f"{module}::{match[1]}".lower()] = fields
    return found


def short(path):
    """batch.v1.Job for api::batch::v1::Job."""
    return ".".join(path.split("::")[-3:])


def main():
    known = schemas(source())
    by_lower = {path.lower(): path for path in known}
    numbered = messages(crate())
    roots = [(kind, "api::" + kind.replace(".", "::")) for kind in KINDS + OTHERS]
    roots = [(kind, path.replace("api::meta", "apimachinery::pkg::apis::meta")) for kind, path in roots]
    types, droppable = {}, set()

    def walk(path, is_within=None):
        """Notes a type and all that it leads to. One that JSON does not know stands for its fields in what holds it."""
        name = short(path)
        if name in types:
            return name
        types[name] = lines = []
        schema = known.get(by_lower.get(path.lower(), ""), is_within)
        properties, required = schema["properties"], schema.get("required", [])
        by_name = {field.lower(): field for field in properties}
        left = set(properties) - {"apiVersion", "kind"}
        for number, field, form, of, message in sorted(numbered[path.lower()]):
            json_name = by_name.get(field.replace("_", "").lower())
            if json_name is None:
                inner = numbered.get(message, [])
                inner_names = {by_name.get(one[1].replace("_", "").lower()) for one in inner}
                if not message or None in inner_names and not message.endswith("::listmeta"):
                    print(f"left out: {name}.{field}", file=sys.stderr)
                    continue
                # The fields stand where the message stands; types are apart by what they stand in.
                inner_path = by_lower.get(message, message)
                within = {"properties": {key: properties[key] for key in inner_names}, "required": required}
                lines.append(f"{number} - message {walk(inner_path, within)}")
                left -= inner_names
                continue
            left.discard(json_name)
            target = ""
            if of == "message":
                of = SPECIAL.get(message, "message")
                if of == "message":
                    target = walk(by_lower[message])
            elif of in ("int32", "int64", "bool", "string") and not form and json_name not in required:
                droppable.add(f"{name.split('.')[-1]}.{json_name}")
                if not is_kept(name, json_name, of):
                    form = "?"
            lines.append(" ".join([str(number), json_name, form + of, target]).rstrip())
        if left:
            print(f"without a number: {name} {sorted(left)}", file=sys.stderr)
        return name

    written = []
    for kind, path in roots:
        walk(path)
    unknown = (SENT_AS_NOTHING | SET_TO_NOTHING) - droppable
    if unknown:
        sys.exit(f"no such fields: {sorted(unknown)}")
    by_name = {kind: kind.split(".") for kind, _ in roots}
    for name, lines in sorted(types.items()):
        head = "= " + name
        if name in by_name:
            group, version, kind = by_name[name]
            group = GROUPS.get(group, group)
            head += f" {group}/{version} {kind}" if group else f" {version} {kind}"
        written += [head] + lines
    text = "\n".join(written).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    open(os.path.join(HERE, "fields.deflate"), "wb").write(packed)
    print(f"{len(types)} types, {len(text)} bytes, {len(packed)} packed")


if __name__ == "__main__":
    main()
