//! The table: every field of a Job and of a Pod's spec, and what becomes of it.

use super::Treatment::{Honoured, Refused, Warned};
use super::When::{Above, False, Holds, Set, TextBesides};
use super::{Entry, Treatment, When};

const LATER: &str = "comes with a later version of jobctl";
const NOT_IN_FORCE: &str = "is not in force: a container is a process of this machine";
const ADMITS: &str =
    "admit a pod where its CPUs, memory and extended resources are free; the disk is not counted";
const STORAGE: &str = "ephemeral-storage";
const LIMITED: &str = "limit memory and CPU (by control groups where some can be made, by looking at processes otherwise), not \
     the use of the disk";
const ONE_MACHINE: &str = "has no effect: there is only this machine to run on";

const fn entry(fields: &'static [&'static str], when: When, treatment: Treatment) -> Entry {
    Entry { fields, when, treatment }
}

const fn honoured(fields: &'static [&'static str], note: &'static str) -> Entry {
    entry(fields, Set, Honoured(note))
}

const fn refused(fields: &'static [&'static str], why: &'static str) -> Entry {
    entry(fields, Set, Refused(why))
}

const fn warned(fields: &'static [&'static str], why: &'static str) -> Entry {
    entry(fields, Set, Warned(why))
}

pub(super) const CRON_JOB: &[Entry] = &[
    honoured(&["spec.schedule", "spec.timeZone"], "docs/cronjobs.md says what happens when clocks change"),
    honoured(&["spec.concurrencyPolicy", "spec.startingDeadlineSeconds", "spec.suspend"], ""),
    honoured(&["spec.successfulJobsHistoryLimit", "spec.failedJobsHistoryLimit"], ""),
    honoured(&["spec.jobTemplate.metadata"], "labels and annotations of its Jobs"),
];

pub(super) const JOB: &[Entry] = &[
    honoured(&["spec.completions"], ""),
    entry(
        &["spec.parallelism"],
        Above(100_000),
        Refused("more than 100000 pods at once are more than one machine can hold"),
    ),
    honoured(&["spec.completionMode"], ""),
    honoured(&["spec.backoffLimit", "spec.backoffLimitPerIndex", "spec.maxFailedIndexes"], ""),
    honoured(&["spec.activeDeadlineSeconds", "spec.ttlSecondsAfterFinished", "spec.suspend"], ""),
    honoured(&["spec.selector", "spec.manualSelector"], ""),
    honoured(&["spec.podFailurePolicy", "spec.successPolicy"], ""),
    honoured(&["spec.podReplacementPolicy"], ""),
    honoured(&["spec.managedBy"], "a Job managed by somebody else is left alone"),
];

pub(super) const STATEFUL_SET: &[Entry] = &[
    entry(
        &["spec.replicas"],
        Above(100_000),
        Refused("more than 100000 pods at once are more than one machine can hold"),
    ),
    honoured(&["spec.selector", "spec.serviceName", "spec.ordinals"], ""),
    honoured(&["spec.podManagementPolicy", "spec.minReadySeconds"], ""),
    honoured(&["spec.updateStrategy"], "`maxUnavailable` too, which 1.34 knows and drops by default"),
    honoured(&["spec.revisionHistoryLimit"], ""),
    honoured(&["spec.volumeClaimTemplates", "spec.persistentVolumeClaimRetentionPolicy"], ""),
];

pub(super) const METADATA: &[Entry] = &[
    honoured(&["name", "generateName", "namespace", "labels", "annotations"], ""),
    honoured(&["ownerReferences"], ""),
    honoured(
        &["finalizers"],
        "hold back the deletion of the object, not that of what it owns; `orphan` is done at once",
    ),
    honoured(&["resourceVersion"], "an update of an older version is a conflict"),
    honoured(&["uid"], "written by jobctl; a change must name the object's own or none"),
    honoured(
        &["creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"],
        "written by jobctl; a value in a manifest is ignored, as on a cluster",
    ),
    honoured(
        &["managedFields"],
        "kept of objects that come through `serve` or `apply --server-side`; a local verb is `jobctl` in it, controllers leave \
         it as it is",
    ),
    honoured(&["selfLink"], "not kept: nothing reads it"),
];

pub(super) const TEMPLATE_METADATA: &[Entry] = &[
    honoured(&["labels", "annotations"], ""),
    warned(&["finalizers"], "is not given to the pods"),
    honoured(
        &[
            "name",
            "generateName",
            "namespace",
            "ownerReferences",
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "generation",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "managedFields",
            "selfLink",
        ],
        "ignored, as on a cluster",
    ),
];

pub(super) const POD_SPEC: &[Entry] = &[
    honoured(&["restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds"], ""),
    honoured(
        &["hostname"],
        "HOSTNAME in the environment of every container; a pod with volumes or names of its own finds its address by it",
    ),
    honoured(&["subdomain"], "names stand in the pods' own /etc/hosts; there is no DNS server"),
    warned(&["setHostnameAsFQDN"], "has no effect: HOSTNAME is the pod's short name"),
    refused(&["hostnameOverride"], "use hostname"),
    honoured(&["volumes[].name"], ""),
    entry(
        &["volumes[].emptyDir.medium"],
        TextBesides(&["Memory"]),
        Warned("has no effect: the volume lies on the disk"),
    ),
    honoured(
        &["volumes[].emptyDir.sizeLimit"],
        "measured once a second, or less often where that takes long; in memory nothing more fits",
    ),
    honoured(&["volumes[].hostPath"], "a volume at its own path needs no sandbox"),
    honoured(
        &["volumes[].configMap", "volumes[].secret"],
        "changes are seen by running pods, but for subPaths",
    ),
    honoured(&["volumes[].downwardAPI"], ""),
    honoured(
        &[
            "volumes[].projected.defaultMode",
            "volumes[].projected.sources[].configMap",
            "volumes[].projected.sources[].secret",
            "volumes[].projected.sources[].downwardAPI",
        ],
        "",
    ),
    refused(
        &[
            "volumes[].projected.sources[].serviceAccountToken",
            "volumes[].projected.sources[].clusterTrustBundle",
            "volumes[].projected.sources[].podCertificate",
        ],
        "there is no API server here that would issue it",
    ),
    honoured(&["volumes[].persistentVolumeClaim"], "a directory of jobctl's own"),
    honoured(&["volumes[].ephemeral"], "its claim is made when the pod starts, and goes with it"),
    honoured(
        &["volumes[].nfs"],
        "where this machine has that directory mounted already, and then that is used",
    ),
    refused(
        &[
            "volumes[].awsElasticBlockStore",
            "volumes[].azureDisk",
            "volumes[].azureFile",
            "volumes[].cephfs",
            "volumes[].cinder",
            "volumes[].csi",
            "volumes[].fc",
            "volumes[].flexVolume",
            "volumes[].flocker",
            "volumes[].gcePersistentDisk",
            "volumes[].gitRepo",
            "volumes[].glusterfs",
            "volumes[].image",
            "volumes[].iscsi",
            "volumes[].photonPersistentDisk",
            "volumes[].portworxVolume",
            "volumes[].quobyte",
            "volumes[].rbd",
            "volumes[].scaleIO",
            "volumes[].storageos",
            "volumes[].vsphereVolume",
        ],
        "there is no driver for it here: mount it on this machine and use hostPath",
    ),
    honoured(
        &["securityContext.runAsUser", "securityContext.runAsGroup"],
        "as an ordinary user: a user namespace in which you have that number",
    ),
    honoured(&["securityContext.runAsNonRoot"], ""),
    honoured(
        &["securityContext.fsGroup", "securityContext.supplementalGroups"],
        "as root; an ordinary user cannot take other groups",
    ),
    honoured(
        &["securityContext.fsGroupChangePolicy", "securityContext.supplementalGroupsPolicy"],
        "volumes are always given to the group whole",
    ),
    warned(
        &[
            "securityContext.seccompProfile",
            "securityContext.seLinuxOptions",
            "securityContext.seLinuxChangePolicy",
            "securityContext.appArmorProfile",
            "securityContext.sysctls",
        ],
        NOT_IN_FORCE,
    ),
    refused(&["securityContext.windowsOptions"], "containers run on this Linux machine"),
    honoured(&["hostAliases"], ""),
    honoured(&["schedulingGates"], "a pod waits until its gates are removed from it"),
    refused(&["ephemeralContainers"], "may not be part of a manifest"),
    refused(&["resourceClaims"], "there are no devices to claim here"),
    refused(&["resources.claims"], "there are no devices to claim here"),
    entry(&["resources.requests"], Holds(STORAGE), Warned(ADMITS)),
    entry(&["resources.limits"], Holds(STORAGE), Warned(LIMITED)),
    entry(&["os.name"], TextBesides(&["linux"]), Refused("containers run on this Linux machine")),
    honoured(
        &["nodeName", "nodeSelector", "affinity.nodeAffinity"],
        "a pod that does not fit this machine's name and labels stays Pending",
    ),
    warned(&["affinity.podAffinity", "affinity.podAntiAffinity", "topologySpreadConstraints"], ONE_MACHINE),
    honoured(&["tolerations"], "the only taint is that of a cordoned node"),
    entry(
        &["schedulerName"],
        TextBesides(&["default-scheduler"]),
        Warned("has no effect: jobctl itself places the pods"),
    ),
    honoured(&["priorityClassName"], "of pods that wait for room those of the highest priority go first"),
    honoured(&["priority"], "written by jobctl: that of the class"),
    honoured(&["preemptionPolicy"], "nothing is preempted"),
    honoured(&["overhead"], "counts as requested"),
    warned(&["readinessGates"], "has no effect: there is no controller here that would report them"),
    warned(&["runtimeClassName"], "has no effect: containers are processes of this machine"),
    entry(&["hostUsers"], False, Warned("has no effect: containers run as users of this machine")),
    honoured(&["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"], "always so"),
    entry(
        &["dnsPolicy"],
        TextBesides(&["ClusterFirst", "ClusterFirstWithHostNet", "Default"]),
        Warned("has no effect: names are resolved as on this machine"),
    ),
    warned(&["dnsConfig"], "has no effect: names are resolved as on this machine"),
    honoured(&["serviceAccountName", "serviceAccount", "imagePullSecrets"], "for information"),
    warned(&["automountServiceAccountToken"], "has no effect: there is no API server to speak to"),
    honoured(&["enableServiceLinks"], ""),
];

pub(super) const INIT_CONTAINER: &[Entry] = &[honoured(
    &["restartPolicy", "restartPolicyRules"],
    "`Always` makes a sidecar; others count in the place of the pod's",
)];

pub(super) const MAIN_CONTAINER: &[Entry] = &[honoured(
    &["restartPolicy", "restartPolicyRules"],
    "they count in the place of the pod's restartPolicy",
)];

const PROBE_FIELDS: [&str; 36] = [
    "livenessProbe.exec",
    "livenessProbe.tcpSocket",
    "livenessProbe.httpGet.host",
    "livenessProbe.httpGet.httpHeaders",
    "livenessProbe.httpGet.path",
    "livenessProbe.httpGet.port",
    "livenessProbe.initialDelaySeconds",
    "livenessProbe.periodSeconds",
    "livenessProbe.timeoutSeconds",
    "livenessProbe.successThreshold",
    "livenessProbe.failureThreshold",
    "livenessProbe.terminationGracePeriodSeconds",
    "readinessProbe.exec",
    "readinessProbe.tcpSocket",
    "readinessProbe.httpGet.host",
    "readinessProbe.httpGet.httpHeaders",
    "readinessProbe.httpGet.path",
    "readinessProbe.httpGet.port",
    "readinessProbe.initialDelaySeconds",
    "readinessProbe.periodSeconds",
    "readinessProbe.timeoutSeconds",
    "readinessProbe.successThreshold",
    "readinessProbe.failureThreshold",
    "readinessProbe.terminationGracePeriodSeconds",
    "startupProbe.exec",
    "startupProbe.tcpSocket",
    "startupProbe.httpGet.host",
    "startupProbe.httpGet.httpHeaders",
    "startupProbe.httpGet.path",
    "startupProbe.httpGet.port",
    "startupProbe.initialDelaySeconds",
    "startupProbe.periodSeconds",
    "startupProbe.timeoutSeconds",
    "startupProbe.successThreshold",
    "startupProbe.failureThreshold",
    "startupProbe.terminationGracePeriodSeconds",
];

pub(super) const CONTAINER: &[Entry] = &[
    honoured(&["name", "command", "args"], ""),
    honoured(
        &["workingDir"],
        "a path that this machine does not have is made for the container alone; a relative one has to be there",
    ),
    honoured(&["image", "imagePullPolicy"], "a label: the command runs on this machine; may be left out"),
    honoured(&["env[].name", "env[].value", "env[].valueFrom.fieldRef"], ""),
    honoured(
        &["env[].valueFrom.resourceFieldRef"],
        "without a limit of the container or its pod, all CPUs and memory of this machine",
    ),
    honoured(&["env[].valueFrom.configMapKeyRef", "env[].valueFrom.secretKeyRef", "envFrom"], ""),
    refused(
        &["env[].valueFrom.fileKeyRef"],
        "comes with a later version of jobctl; without it the variable would be missing",
    ),
    honoured(
        &[
            "volumeMounts[].name",
            "volumeMounts[].mountPath",
            "volumeMounts[].readOnly",
            "volumeMounts[].recursiveReadOnly",
            "volumeMounts[].subPath",
            "volumeMounts[].subPathExpr",
        ],
        "a path that this machine does not have is there for the container alone",
    ),
    entry(
        &["volumeMounts[].mountPropagation"],
        TextBesides(&["None", "HostToContainer"]),
        Warned("has no effect: what a container mounts it sees alone"),
    ),
    refused(&["volumeDevices"], "there are no block volumes here"),
    honoured(
        &["securityContext.runAsUser", "securityContext.runAsGroup", "securityContext.runAsNonRoot"],
        "as for the pod",
    ),
    honoured(&["securityContext.readOnlyRootFilesystem"], "but for /proc, /dev and volumes"),
    honoured(&["securityContext.allowPrivilegeEscalation"], ""),
    honoured(&["securityContext.capabilities.drop"], ""),
    honoured(
        &["securityContext.capabilities.add", "securityContext.privileged"],
        "as root, who has all of them; an ordinary user gets none",
    ),
    warned(
        &[
            "securityContext.seccompProfile",
            "securityContext.seLinuxOptions",
            "securityContext.appArmorProfile",
            "securityContext.procMount",
        ],
        NOT_IN_FORCE,
    ),
    refused(&["securityContext.windowsOptions"], "containers run on this Linux machine"),
    refused(&["resources.claims"], "there are no devices to claim here"),
    entry(&["resources.requests"], Holds(STORAGE), Warned(ADMITS)),
    entry(&["resources.limits"], Holds(STORAGE), Warned(LIMITED)),
    honoured(&["resizePolicy"], "nothing is resized"),
    refused(
        &["livenessProbe.grpc", "readinessProbe.grpc", "startupProbe.grpc"],
        "probes over gRPC do not work here: use exec with a client of it, or tcpSocket",
    ),
    entry(
        &[
            "livenessProbe.httpGet.scheme",
            "readinessProbe.httpGet.scheme",
            "startupProbe.httpGet.scheme",
            "lifecycle.postStart.httpGet.scheme",
            "lifecycle.preStop.httpGet.scheme",
        ],
        TextBesides(&["HTTP"]),
        Refused("only plain HTTP is spoken here: use exec with a client of it, or tcpSocket"),
    ),
    honoured(&PROBE_FIELDS, "over the network, the pod's own address is asked"),
    honoured(
        &[
            "lifecycle.postStart.exec",
            "lifecycle.postStart.sleep",
            "lifecycle.postStart.tcpSocket",
            "lifecycle.postStart.httpGet.host",
            "lifecycle.postStart.httpGet.httpHeaders",
            "lifecycle.postStart.httpGet.path",
            "lifecycle.postStart.httpGet.port",
            "lifecycle.preStop.exec",
            "lifecycle.preStop.sleep",
            "lifecycle.preStop.tcpSocket",
            "lifecycle.preStop.httpGet.host",
            "lifecycle.preStop.httpGet.httpHeaders",
            "lifecycle.preStop.httpGet.path",
            "lifecycle.preStop.httpGet.port",
        ],
        "",
    ),
    refused(&["lifecycle.stopSignal"], LATER),
    honoured(&["ports"], "for information, as on a cluster"),
    honoured(
        &["terminationMessagePath"],
        "`/dev/termination-log` is there where the container's command, arguments or variables name it",
    ),
    honoured(&["terminationMessagePolicy"], ""),
    honoured(&["stdin", "stdinOnce"], "`attach -i` and `run -i` write there; nobody else does"),
    honoured(&["tty"], "a terminal of its own, whose output goes to the log too"),
];
