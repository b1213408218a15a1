//! The colours of cells that say how an object stands: green is done, yellow waits, red has failed.

/// What goes before a cell of a column, where it has a colour.
pub(super) fn of(column: &str, cell: &str) -> Option<&'static str> {
    match column {
        "STATUS" => of_status(cell),
        "SUSPEND" => (cell == "True").then_some(YELLOW),
        _ => None,
    }
}

/// What goes after it.
pub(super) const END: &str = "\u{1b}[0m";

const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";

fn of_status(status: &str) -> Option<&'static str> {
    // Of init containers the part after the colon tells; `Init:1/2` is one that is under way.
    let status = status.strip_prefix("Init:").unwrap_or(status);
    match status {
        "Running" | "Ready" | "" => None,
        "Complete" | "Completed" | "Succeeded" | "SuccessCriteriaMet" => Some(GREEN),
        "Pending" | "ContainerCreating" | "PodInitializing" | "Suspended" | "Terminating"
        | "SchedulingGated" | "NotReady" | "Unknown" | "Waiting" => Some(YELLOW),
        progress if progress.split('/').all(|part| part.parse::<u32>().is_ok()) => Some(YELLOW),
        // What is left are reasons for which a container, a pod or a Job has failed: Error, OOMKilled, Evicted.
        _ => Some(RED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_colour() {
        for (status, expected) in [
            ("Running", None),
            ("Completed", Some(GREEN)),
            ("Complete", Some(GREEN)),
            ("ContainerCreating", Some(YELLOW)),
            ("Init:0/2", Some(YELLOW)),
            ("Suspended", Some(YELLOW)),
            ("Init:Error", Some(RED)),
            ("CrashLoopBackOff", Some(RED)),
            ("ExitCode:3", Some(RED)),
            ("Failed", Some(RED)),
        ] {
            assert_eq!(of("STATUS", status), expected, "{status}");
        }
        assert_eq!(of("NAME", "Failed"), None);
        assert_eq!((of("SUSPEND", "True"), of("SUSPEND", "False")), (Some(YELLOW), None));
    }
}
