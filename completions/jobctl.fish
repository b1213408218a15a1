# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jobctl_global_optspecs
    string join \n n/namespace= data-dir= warnings-as-errors h/help
end

function __fish_jobctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jobctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jobctl_using_subcommand
    set -l cmd (__fish_jobctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jobctl -n "__fish_jobctl_needs_command" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_needs_command" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_needs_command" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "apply" -d 'Create or change objects to match manifests'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "diff" -d 'Show what applying manifests would change'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "create" -d 'Create objects from manifests, or one from the command line'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "replace" -d 'Replace objects by manifests; with --force, delete them and create them again'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "run" -d 'Submit a Job, follow its logs, wait for its end, and exit with the program\'s own exit code'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "set" -d 'Change images, variables and resources of containers'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "get" -d 'Display one or many objects'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "describe" -d 'Show details of objects, with their Events'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "events" -d 'Show what has happened, the oldest first'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "logs" -d 'Print the logs of a pod\'s container, or of all pods of a Job'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "wait" -d 'Wait for a condition on one or many objects'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "delete" -d 'Delete objects by file, name or selector'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "patch" -d 'Change fields of objects'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "edit" -d 'Edit objects in an editor: that of KUBE_EDITOR or EDITOR, otherwise vi'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "label" -d 'Set or remove labels'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "annotate" -d 'Set or remove annotations'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "scale" -d 'Set the parallelism of Jobs, or the replicas of StatefulSets'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "rerun" -d 'Run Jobs that have ended once more'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "suspend" -d 'Stop Jobs and keep them for later, or keep CronJobs from starting Jobs'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "resume" -d 'Let suspended Jobs and CronJobs go on'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "next" -d 'Show the coming times of a CronJob or a schedule'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "rollout" -d 'Follow, restart or take back a change of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "cordon" -d 'Keep new pods off this machine; those that run go on'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "uncordon" -d 'Let this machine take new pods again'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "drain" -d 'Cordon this machine and evict its pods, for instance before a reboot'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "image" -d 'Say what images run on this machine'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "prune" -d 'Remove the logs of pods that are gone, of Jobs that have ended'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "reconcile" -d 'Make one pass and say what it did'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "watch" -d 'Make passes until interrupted, one line per change'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "service" -d 'Start the controller with the user\'s session, by systemd'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "doctor" -d 'Examine the data directory and this machine, without changing anything'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "api-resources" -d 'Print the supported kinds of objects'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "api-versions" -d 'Print the supported API versions'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "explain" -d 'Say what a kind is, or one of its fields'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "auth" -d 'Say what may be done: everything, by whoever has this data directory'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "cluster-info" -d 'Say where the objects are: there is no cluster'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "config" -d 'Show and choose what commands refer to: the namespace'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "options" -d 'List the flags that every verb takes'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "version" -d 'Print the version'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "completion" -d 'Output shell completion code for bash, zsh, fish, elvish or powershell'
complete -c jobctl -n "__fish_jobctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s l -l selector -d 'Apply only the documents whose labels match' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l overwrite -d 'If false, no field is changed that somebody else has changed since it was applied last' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l cascade -d 'Must be "background", "foreground", or "orphan": what becomes of the pods of a Job that is deleted' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l grace-period -d 'Seconds given to the processes of what is deleted; negative: what the pod says' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l timeout -d 'How long to wait; 0 is as long as it takes' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l force -d 'Where an object cannot be changed into what is wanted, delete it and create it again'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l prune -d 'Delete what was applied earlier and is in no manifest now: of what -l selects, or of everything with --all'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l all -d 'With --prune: everything in the namespaces of the manifests'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l wait -d 'Wait until what is deleted is gone'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l server-side -d 'Refused: there is no server'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l force-conflicts -d 'Refused: as --server-side'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s l -l selector -d 'Label selector: only these documents' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -l concurrency -d 'Accepted for kubectl\'s sake: all objects are compared at once' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "clusterrole" -d 'Create a ClusterRole'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "clusterrolebinding" -d 'Create a ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "configmap" -d 'Create a ConfigMap from files, directories and literal values'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "cronjob" -d 'Create a CronJob that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "job" -d 'Create a Job that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "namespace" -d 'Create a namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "priorityclass" -d 'Create a PriorityClass'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "quota" -d 'Create a ResourceQuota'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "role" -d 'Create a Role'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "rolebinding" -d 'Create a RoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "secret" -d 'Create a Secret'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "service" -d 'Create a Service'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "serviceaccount" -d 'Create a ServiceAccount'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and not __fish_seen_subcommand_from clusterrole clusterrolebinding configmap cronjob job namespace priorityclass quota role rolebinding secret service serviceaccount help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l verb -d 'What may be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l resource -d 'With which resources' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l resource-name -d 'With which objects of them' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l non-resource-url -d 'With which paths' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l aggregation-rule -d 'The labels of the ClusterRoles whose rules it has' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrole" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l clusterrole -d 'The ClusterRole' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l user -d 'A user who has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l group -d 'A group that has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l serviceaccount -d 'A ServiceAccount that has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from clusterrolebinding" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l from-file -d 'A file, whose name is the key, a directory of such files, or KEY=FILE' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l from-literal -d 'A key and its value' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l from-env-file -d 'A file with a line KEY=VALUE for each entry' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l append-hash -d 'Append a hash of the contents to the name'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from configmap" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l schedule -d 'When it runs, for instance "*/5 * * * *" or @hourly' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l image -d 'Image name to run: a label here, the command runs from this machine' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l restart -d 'The pods\' restartPolicy: OnFailure or Never' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from cronjob" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l image -d 'Image name to run: a label here, the command runs from this machine' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l from -d 'The CronJob to create the Job from' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l env -d 'With --from: a variable of all containers, as NAME=VALUE' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from job" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from namespace" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l value -d 'The priority' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l global-default -d 'Whether pods without a class have this one' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l description -d 'What the class is for' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l preemption-policy -d 'PreemptLowerPriority or Never' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from priorityclass" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l hard -d 'How much of each resource there may be' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l scopes -d 'Which pods are counted' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from quota" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l verb -d 'What may be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l resource -d 'With which resources' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l resource-name -d 'With which objects of them' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from role" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l role -d 'The Role' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l clusterrole -d 'The ClusterRole' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l user -d 'A user who has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l group -d 'A group that has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l serviceaccount -d 'A ServiceAccount that has it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -f -a "docker-registry" -d 'Create a Secret with the account of a container registry'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -f -a "generic" -d 'Create a Secret from files, directories and literal values'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -f -a "tls" -d 'Create a Secret with a certificate and its key'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from secret" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -f -a "clusterip" -d 'Create a Service with an address, or without one: --clusterip=None'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -f -a "externalname" -d 'Create a Service that is another name for a host'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -f -a "loadbalancer" -d 'Create a Service that asks for a load balancer'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -f -a "nodeport" -d 'Create a Service with a port of the node'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from service" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "clusterrole" -d 'Create a ClusterRole'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "clusterrolebinding" -d 'Create a ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "configmap" -d 'Create a ConfigMap from files, directories and literal values'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "cronjob" -d 'Create a CronJob that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "job" -d 'Create a Job that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "namespace" -d 'Create a namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "priorityclass" -d 'Create a PriorityClass'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "quota" -d 'Create a ResourceQuota'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "role" -d 'Create a Role'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "rolebinding" -d 'Create a RoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "secret" -d 'Create a Secret'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "service" -d 'Create a Service'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "serviceaccount" -d 'Create a ServiceAccount'
complete -c jobctl -n "__fish_jobctl_using_subcommand create; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l grace-period -d 'Seconds given to the old pods\' processes to end; negative: what the pod says' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l subresource -d 'Must be "status": what is to be replaced in place of the rest' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l timeout -d 'Accepted for kubectl\'s sake: the objects are replaced in one step' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l force -d 'Delete the object with its pods and create it again, in one step: this runs a Job once more'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l save-config -d 'Keep the manifest in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand replace" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l timeout -d 'How long to wait; the Job goes on when the time is over. Negative is without end' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l pass-env -d 'Variables of this environment that the pods are to have, as NAME,NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l prefix -d 'Put the pod and the container before each line; the default where more than one pod may run'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l rm -d 'Delete the Jobs at the end'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l detach-on-interrupt -d 'Whether SIGINT (Ctrl-C) and SIGTERM leave the Jobs running, or delete them. The default is to leave them at a terminal without --rm, and those that ran already; a second signal ends jobctl at once'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s q -l quiet -d 'No summary'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "image" -d 'Set the images of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "env" -d 'Set, remove or list the variables of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "resources" -d 'Set what containers request, and their limits'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "selector" -d 'Set the selector of a Service, in place of the one that it has'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "serviceaccount" -d 'Set the service account of pod templates'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "subject" -d 'Add users, groups and service accounts to a RoleBinding or ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and not __fish_seen_subcommand_from image env resources selector serviceaccount subject help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from image" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s c -l containers -d 'The containers, in whose names `*` stands for anything' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s e -l env -d 'A variable, as NAME=VALUE' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l from -d 'A ConfigMap or Secret whose keys become variables' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l keys -d 'With --from: only these keys' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l prefix -d 'With --from: what stands before each variable\'s name' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l overwrite -d 'Replace variables that are there' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l list -d 'Show the variables; nothing is changed'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l resolve -d 'With --list: show the values of what comes from elsewhere'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from env" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s c -l containers -d 'The containers, in whose names `*` stands for anything' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l limits -d 'Limits, as cpu=1,memory=2Gi' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l requests -d 'Requests, as cpu=1,memory=2Gi' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from resources" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l resource-version -d 'Only if the object has this version' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from selector" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from serviceaccount" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l user -d 'Users' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l group -d 'Groups' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l serviceaccount -d 'Service accounts, as NAMESPACE:NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from subject" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "image" -d 'Set the images of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "env" -d 'Set, remove or list the variables of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "resources" -d 'Set what containers request, and their limits'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "selector" -d 'Set the selector of a Service, in place of the one that it has'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "serviceaccount" -d 'Set the service account of pod templates'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "subject" -d 'Add users, groups and service accounts to a RoleBinding or ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand set; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s o -l output -d 'Output format: json, yaml, kyaml, name, wide, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…, custom-columns=…, custom-columns-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l raw -d 'Not here: there is no API server that could answer' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s l -l selector -d 'Label selector: key=value, key!=value, key in (a,b), key notin (a,b), key, !key' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l field-selector -d 'Field selector: key=value, key!=value' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l subresource -d 'Must be "status" or "scale": with "scale", of what can be scaled, how many there are and should be' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s L -l label-columns -d 'Labels that get a column of their own' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l sort-by -d 'Sort by this field, a JSONPath such as .metadata.creationTimestamp' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l chunk-size -d 'Accepted for kubectl\'s sake: lists come in one piece' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s A -l all-namespaces -d 'Objects of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s w -l watch -d 'After listing, watch for changes'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l watch-only -d 'Watch for changes without listing first'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l output-watch-events -d 'With a watch: say whether an object was ADDED, MODIFIED or DELETED'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l no-headers -d 'Leave the header line out'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l show-labels -d 'A last column with all labels'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l show-kind -d 'Put the kind before each name'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l ignore-not-found -d 'Say nothing about objects that do not exist'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s a -l show-all -d 'Finished pods are always shown; old tutorials ask for them'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l server-print -d 'Accepted for kubectl\'s sake: there is no server that could print'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand get" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -l show-events -d 'Show the Events of each object' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s A -l all-namespaces -d 'Objects of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand describe" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -l for -d 'Only about this object: TYPE/NAME' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -l types -d 'Only of these types: Normal, Warning' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -s o -l output -d 'Output format: json, yaml or name' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -s A -l all-namespaces -d 'Events of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -s w -l watch -d 'Go on with what happens from now'
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -l no-headers -d 'Leave the header line out'
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand events" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s c -l container -d 'Print the log of this container' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l tail -d 'Lines to show from the end; -1 is all, and with a selector the default is 10' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l since -d 'Only lines newer than this duration, such as 5s, 2m, or 3h' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l since-time -d 'Only lines after this time (RFC 3339)' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l limit-bytes -d 'Most bytes of each log to print' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s l -l selector -d 'Label selector: the pods to print' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l max-log-requests -d 'Accepted for kubectl\'s sake: there is no limit' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l pod-running-timeout -d 'How long to wait for a Job\'s first pod' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s f -l follow -d 'Go on printing until the container has ended, or of a Job all pods, also those to come; waits for the start'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l all-containers -d 'All containers of the pod, init containers included'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l all-pods -d 'All pods of the Job, also those removed since, each line with its pod and container'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s p -l previous -d 'Print the log of the run before the last restart'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l prefix -d 'Put the pod and the container before each line'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l timestamps -d 'Put the time before each line'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l ignore-errors -d 'Accepted for kubectl\'s sake'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand logs" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l for -d 'delete, create, condition=NAME[=VALUE], condition=NAME,NAME (any of them), or jsonpath=\'{PATH}\'[=VALUE]; given several times: all of them' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l timeout -d 'How long to wait for all together; 0 checks once, negative waits for a week' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s A -l all-namespaces -d 'Objects of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l cascade -d 'Must be "background", "foreground", or "orphan": what becomes of a Job\'s pods' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l grace-period -d 'Seconds given to processes to end; negative: what the pod says' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l wait -d 'Wait until the objects are gone' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l timeout -d 'How long to wait; 0 is as long as it takes' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s o -l output -d 'Output format: name' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l now -d 'Stop processes after one second'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l force -d 'Do not give processes any time'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s A -l all-namespaces -d 'Objects of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l ignore-not-found -d 'Say nothing about objects that do not exist'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s i -l interactive -d 'Ask before deleting'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand delete" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s p -l patch -d 'The patch, in YAML or JSON' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l patch-file -d 'A file with the patch' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l type -d 'Must be one of json, merge, strategic' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l subresource -d 'Must be "status": what is to be changed in place of the rest' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand patch" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s o -l output -d 'Output format: json or yaml, of what is edited' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l validate -d 'Must be one of: strict (or true), warn, ignore (or false): what to do about unknown fields' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l subresource -d 'Must be "status": what is to be changed in place of the rest' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l output-patch -d 'Print what the changes are'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l save-config -d 'Keep what has been edited in the object\'s annotation, so that apply can be used later'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l windows-line-endings -d 'End lines as Windows does'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand edit" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l resource-version -d 'Only if the object has this version' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l overwrite -d 'Replace values that are there'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l list -d 'Show what the object has'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand label" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l resource-version -d 'Only if the object has this version' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l overwrite -d 'Replace values that are there'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l list -d 'Show what the object has'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l local -d 'Change what is in the files and print it; nothing is stored'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand annotate" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l replicas -d 'The new number of pods' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l current-replicas -d 'Only if the number is this now' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l resource-version -d 'Only if the Job has this version' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l timeout -d 'Accepted for kubectl\'s sake: the parallelism is set when the command ends' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l all -d 'All Jobs of the namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l failed-indexes -d 'Of an Indexed Job, only the indexes that have not completed'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l force -d 'Also Jobs that still run: their pods are stopped'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rerun" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand suspend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand resume" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l schedule -d 'A schedule in place of a CronJob\'s' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l time-zone -d 'The zone of --schedule, for instance Europe/Berlin; this machine\'s where it is not given' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l count -d 'How many times; -n with a number means the same here' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l from -d 'After this time (RFC 3339) in place of now' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -s o -l output -d 'Output format: json, an array of RFC 3339 times' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand next" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "status" -d 'Say how far a StatefulSet is, until it is done'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "history" -d 'List the revisions of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "restart" -d 'Replace the pods of a StatefulSet, one after the other'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "undo" -d 'Go back to an earlier revision of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "pause" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "resume" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history restart undo pause resume help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s w -l watch -d 'Until it is done' -r -f -a "true\t''
false\t''"
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l timeout -d 'How long to wait; 0 is for ever' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l revision -d 'Of no use for a StatefulSet' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l revision -d 'Show the pod template of this revision' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l to-revision -d 'The revision; 0 is the one before the newest' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s f -l filename -d 'Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s k -l kustomize -d 'Refused: kustomize builds what is then given to -f' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l field-selector -d 'Field selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s o -l output -d 'Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…, go-template-file=…' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l template -d 'The template, or the file with it, of an output format that is given without one' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l field-manager -d 'Accepted for kubectl\'s sake: who manages a field is not recorded' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s R -l recursive -d 'Process the directories used in -f, --filename recursively'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l all -d 'All objects of the type'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l show-managed-fields -d 'Accepted for kubectl\'s sake: there are no managed fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say how far a StatefulSet is, until it is done'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "history" -d 'List the revisions of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "restart" -d 'Replace the pods of a StatefulSet, one after the other'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "undo" -d 'Go back to an earlier revision of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "pause" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "resume" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand cordon" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand uncordon" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -s l -l selector -d 'Label selector' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l grace-period -d 'Seconds given to processes to end; negative: what the pod says' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l timeout -d 'How long to wait for pods to end; 0 is as long as it takes' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l pod-selector -d 'Only pods whose labels match' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l force -d 'Also pods that no controller would make again'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l ignore-daemonsets -d 'Accepted for kubectl\'s sake: there are no DaemonSets here'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l delete-emptydir-data -d 'Accepted for kubectl\'s sake: no pod here has an emptyDir yet'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l disable-eviction -d 'Delete pods in place of evicting them: they carry no DisruptionTarget'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "set" -d 'Say what an image runs: its entrypoint'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "list" -d 'List what images run, as far as it has been said'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "ls" -d 'List what images run, as far as it has been said'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "remove" -d 'Forget what images run'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "rm" -d 'Forget what images run'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and not __fish_seen_subcommand_from set list ls remove rm help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -l env -d 'A variable of its containers, as NAME=VALUE' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -l workdir -d 'Where its containers start, unless they say it' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from list" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from list" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from ls" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from ls" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from remove" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from remove" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from remove" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from rm" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from rm" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from rm" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "set" -d 'Say what an image runs: its entrypoint'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "list" -d 'List what images run, as far as it has been said'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Forget what images run'
complete -c jobctl -n "__fish_jobctl_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -l older-than -d 'Only of Jobs that ended longer ago than this duration, such as 5s, 2m, or 3h' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -l dry-run -d 'Must be "none", "server", or "client": only say what would be done' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -s A -l all-namespaces -d 'Jobs of all namespaces'
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand reconcile" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand reconcile" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand reconcile" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand reconcile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand watch" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand watch" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand watch" -l until-idle -d 'Leave when nothing is left to wait for'
complete -c jobctl -n "__fish_jobctl_using_subcommand watch" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -f -a "install" -d 'Write the unit and start it'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -f -a "uninstall" -d 'Stop the unit and remove it'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -f -a "status" -d 'Say whether the unit is there and runs'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and not __fish_seen_subcommand_from install uninstall status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from install" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from install" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from install" -l print -d 'Only print the unit'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from install" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from uninstall" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from uninstall" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from uninstall" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from status" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from status" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from status" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "install" -d 'Write the unit and start it'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "uninstall" -d 'Stop the unit and remove it'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say whether the unit is there and runs'
complete -c jobctl -n "__fish_jobctl_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand doctor" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand doctor" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand doctor" -l set-aside -d 'Move damaged lines into FILE.corrupt-TIME in the data directory, and go on with what is left'
complete -c jobctl -n "__fish_jobctl_using_subcommand doctor" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l api-group -d 'Limit to kinds of this API group' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l categories -d 'Limit to kinds that are in these categories' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -s o -l output -d 'One of wide or name' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l sort-by -d 'Sort by name or kind' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l verbs -d 'Limit to kinds that take all of these verbs' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l cached -d 'Accepted for kubectl\'s sake: the kinds are known without asking anybody'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l namespaced -d 'If false, kinds that are not in a namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l no-headers -d 'Leave the header line out'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-resources" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-versions" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand api-versions" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand api-versions" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand api-versions" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -l api-version -d 'The version of the API, such as batch/v1' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -s o -l output -d 'Must be "plaintext"' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -l recursive -d 'The names of all fields below, without what they are for'
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand explain" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -f -a "can-i" -d 'Check whether an action is allowed'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -f -a "whoami" -d 'Say as whom commands and pods run'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l subresource -d 'A part of the object, such as log or status' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s A -l all-namespaces -d 'In any namespace: nothing is forbidden in one of them'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l list -d 'List all that is allowed'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l no-headers -d 'With --list: leave the header line out'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s q -l quiet -d 'Only the exit code'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s o -l output -d 'Output format: json or yaml' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "can-i" -d 'Check whether an action is allowed'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "whoami" -d 'Say as whom commands and pods run'
complete -c jobctl -n "__fish_jobctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand cluster-info" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand cluster-info" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand cluster-info" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand cluster-info" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "view" -d 'Display the settings in the form of a kubeconfig file'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "current-context" -d 'Display the current context'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "get-contexts" -d 'Display the contexts'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "get-clusters" -d 'Display the clusters: this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "get-users" -d 'Display the users'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "set-context" -d 'Choose the namespace of the commands to come: set-context --current --namespace=NAME'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "rename-context" -d 'Refused: there is one context, "jobctl", and it keeps its name'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "delete-context" -d 'Refused: there is one context, "jobctl", and it stays'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "unset" -d 'Take a choice back: contexts.jobctl.namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "use-context" -d 'Make a context the current one; there is one, "jobctl"'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and not __fish_seen_subcommand_from view current-context get-contexts get-clusters get-users set-context rename-context delete-context unset use-context help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -s o -l output -d 'One of yaml or json' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -l minify -d 'Only what the current context uses, which is all'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -l flatten -d 'Accepted for kubectl\'s sake: there are no certificates'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -l raw -d 'Accepted for kubectl\'s sake: there are no secrets'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from view" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s o -l output -d 'Must be "name"' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l no-headers -d 'Leave the header line out'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-clusters" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-clusters" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-clusters" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-clusters" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-users" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-users" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-users" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from get-users" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l current -d 'The current context'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from unset" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from unset" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from unset" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "view" -d 'Display the settings in the form of a kubeconfig file'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "current-context" -d 'Display the current context'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get-contexts" -d 'Display the contexts'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get-clusters" -d 'Display the clusters: this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get-users" -d 'Display the users'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "set-context" -d 'Choose the namespace of the commands to come: set-context --current --namespace=NAME'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "rename-context" -d 'Refused: there is one context, "jobctl", and it keeps its name'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "delete-context" -d 'Refused: there is one context, "jobctl", and it stays'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "unset" -d 'Take a choice back: contexts.jobctl.namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "use-context" -d 'Make a context the current one; there is one, "jobctl"'
complete -c jobctl -n "__fish_jobctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand options" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand options" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand options" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand options" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -s o -l output -d 'One of yaml or json' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -l client -d 'Only the program\'s own version'
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand version" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand completion" -s n -l namespace -d 'The namespace scope of this request' -r
complete -c jobctl -n "__fish_jobctl_using_subcommand completion" -l data-dir -d 'Where state is kept, in place of $JOBCTL_DATA_DIR and the user\'s data directory' -r -F
complete -c jobctl -n "__fish_jobctl_using_subcommand completion" -l warnings-as-errors -d 'A command that has warned of something ends with exit code 1'
complete -c jobctl -n "__fish_jobctl_using_subcommand completion" -s h -l help -d 'Print help'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "apply" -d 'Create or change objects to match manifests'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "diff" -d 'Show what applying manifests would change'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "create" -d 'Create objects from manifests, or one from the command line'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "replace" -d 'Replace objects by manifests; with --force, delete them and create them again'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "run" -d 'Submit a Job, follow its logs, wait for its end, and exit with the program\'s own exit code'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "set" -d 'Change images, variables and resources of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "get" -d 'Display one or many objects'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "describe" -d 'Show details of objects, with their Events'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "events" -d 'Show what has happened, the oldest first'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "logs" -d 'Print the logs of a pod\'s container, or of all pods of a Job'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "wait" -d 'Wait for a condition on one or many objects'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "delete" -d 'Delete objects by file, name or selector'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "patch" -d 'Change fields of objects'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "edit" -d 'Edit objects in an editor: that of KUBE_EDITOR or EDITOR, otherwise vi'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "label" -d 'Set or remove labels'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "annotate" -d 'Set or remove annotations'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "scale" -d 'Set the parallelism of Jobs, or the replicas of StatefulSets'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "rerun" -d 'Run Jobs that have ended once more'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "suspend" -d 'Stop Jobs and keep them for later, or keep CronJobs from starting Jobs'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "resume" -d 'Let suspended Jobs and CronJobs go on'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "next" -d 'Show the coming times of a CronJob or a schedule'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "rollout" -d 'Follow, restart or take back a change of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "cordon" -d 'Keep new pods off this machine; those that run go on'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "uncordon" -d 'Let this machine take new pods again'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "drain" -d 'Cordon this machine and evict its pods, for instance before a reboot'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "image" -d 'Say what images run on this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "prune" -d 'Remove the logs of pods that are gone, of Jobs that have ended'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "reconcile" -d 'Make one pass and say what it did'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "watch" -d 'Make passes until interrupted, one line per change'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "service" -d 'Start the controller with the user\'s session, by systemd'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "doctor" -d 'Examine the data directory and this machine, without changing anything'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "api-resources" -d 'Print the supported kinds of objects'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "api-versions" -d 'Print the supported API versions'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "explain" -d 'Say what a kind is, or one of its fields'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "auth" -d 'Say what may be done: everything, by whoever has this data directory'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "cluster-info" -d 'Say where the objects are: there is no cluster'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "config" -d 'Show and choose what commands refer to: the namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "options" -d 'List the flags that every verb takes'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "version" -d 'Print the version'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "completion" -d 'Output shell completion code for bash, zsh, fish, elvish or powershell'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and not __fish_seen_subcommand_from apply diff create replace run set get describe events logs wait delete patch edit label annotate scale rerun suspend resume next rollout cordon uncordon drain image prune reconcile watch service doctor api-resources api-versions explain auth cluster-info config options version completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "clusterrole" -d 'Create a ClusterRole'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "clusterrolebinding" -d 'Create a ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "configmap" -d 'Create a ConfigMap from files, directories and literal values'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "cronjob" -d 'Create a CronJob that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "job" -d 'Create a Job that runs a command of this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "namespace" -d 'Create a namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "priorityclass" -d 'Create a PriorityClass'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "quota" -d 'Create a ResourceQuota'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "role" -d 'Create a Role'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "rolebinding" -d 'Create a RoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "secret" -d 'Create a Secret'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "service" -d 'Create a Service'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from create" -f -a "serviceaccount" -d 'Create a ServiceAccount'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "image" -d 'Set the images of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "env" -d 'Set, remove or list the variables of containers'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "resources" -d 'Set what containers request, and their limits'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "selector" -d 'Set the selector of a Service, in place of the one that it has'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "serviceaccount" -d 'Set the service account of pod templates'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from set" -f -a "subject" -d 'Add users, groups and service accounts to a RoleBinding or ClusterRoleBinding'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "status" -d 'Say how far a StatefulSet is, until it is done'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "history" -d 'List the revisions of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "restart" -d 'Replace the pods of a StatefulSet, one after the other'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "undo" -d 'Go back to an earlier revision of a StatefulSet'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "pause" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "resume" -d 'No kind here can be paused: a Job can be suspended'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "set" -d 'Say what an image runs: its entrypoint'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "list" -d 'List what images run, as far as it has been said'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "remove" -d 'Forget what images run'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from service" -f -a "install" -d 'Write the unit and start it'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from service" -f -a "uninstall" -d 'Stop the unit and remove it'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from service" -f -a "status" -d 'Say whether the unit is there and runs'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from auth" -f -a "can-i" -d 'Check whether an action is allowed'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from auth" -f -a "whoami" -d 'Say as whom commands and pods run'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "view" -d 'Display the settings in the form of a kubeconfig file'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "current-context" -d 'Display the current context'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get-contexts" -d 'Display the contexts'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get-clusters" -d 'Display the clusters: this machine'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get-users" -d 'Display the users'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "set-context" -d 'Choose the namespace of the commands to come: set-context --current --namespace=NAME'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "rename-context" -d 'Refused: there is one context, "jobctl", and it keeps its name'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "delete-context" -d 'Refused: there is one context, "jobctl", and it stays'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "unset" -d 'Take a choice back: contexts.jobctl.namespace'
complete -c jobctl -n "__fish_jobctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "use-context" -d 'Make a context the current one; there is one, "jobctl"'
