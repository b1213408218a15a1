//! Jobs that start when others have ended: ours, as no Kubernetes has it. The annotation is a list with commas between,
//! `job/a, job/b:failed`; the Jobs are of the same namespace.

use std::fmt;

use super::ObjectMeta;
use super::meta::{ANNOTATION_AFTER, annotation};
use super::names;

/// How another Job must have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Complete.
    Complete,
    /// Failed.
    Failed,
    /// Either.
    Finished,
}

impl Outcome {
    /// Whether a Job that has ended so is what was waited for.
    pub fn is_met_by(self, is_complete: bool) -> bool {
        match self {
            Self::Complete => is_complete,
            Self::Failed => !is_complete,
            Self::Finished => true,
        }
    }
}

/// A Job that another waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Its name.
    pub job: String,
    /// How it must have ended.
    pub outcome: Outcome,
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Complete => "",
            Outcome::Failed => ":failed",
            Outcome::Finished => ":finished",
        };
        write!(formatter, "job/{}{outcome}", self.job)
    }
}

/// What a Job waits for. An annotation that does not read stands for nothing: validation refuses it.
pub fn dependencies(meta: &ObjectMeta) -> Vec<Dependency> {
    annotation(meta, ANNOTATION_AFTER).and_then(|text| parse(text).ok()).unwrap_or_default()
}

/// Reads a list of Jobs.
///
/// # Errors
/// What is wrong with the first that is none.
pub fn parse(text: &str) -> Result<Vec<Dependency>, String> {
    let found = text.split(',').map(|one| {
        let one = one.trim();
        let (job, outcome) = one.split_once(':').unwrap_or((one, "complete"));
        let outcome = match outcome {
            "complete" => Outcome::Complete,
            "failed" => Outcome::Failed,
            "finished" => Outcome::Finished,
            other => return Err(format!("{other:?} must be complete, failed or finished")),
        };
        let name =
            ["job/", "jobs/", "job.batch/", "jobs.batch/"].iter().find_map(|kind| job.strip_prefix(kind));
        let name =
            name.ok_or_else(|| format!("{one:?} must be job/NAME, job/NAME:failed or job/NAME:finished"))?;
        match names::dns_subdomain(name).into_iter().next() {
            Some(problem) => Err(format!("{name:?}: {problem}")),
            None => Ok(Dependency { job: name.to_owned(), outcome }),
        }
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_jobs() {
        let shown = |text: &str| {
            parse(text).map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(shown("job/a"), Ok("job/a".into()));
        assert_eq!(
            shown(" jobs/a:complete,job.batch/b:failed , job/c:finished"),
            Ok("job/a job/b:failed job/c:finished".into())
        );
        assert_eq!(shown("a"), Err("\"a\" must be job/NAME, job/NAME:failed or job/NAME:finished".into()));
        assert_eq!(shown("job/a:ok"), Err("\"ok\" must be complete, failed or finished".into()));
        assert!(shown("job/A").unwrap_err().starts_with("\"A\": a lowercase RFC 1123 subdomain"));
        assert!(shown("").is_err() && shown("job/a,").is_err() && shown("job/").is_err());
    }

    #[test]
    fn outcomes() {
        let met = |outcome: Outcome| (outcome.is_met_by(true), outcome.is_met_by(false));
        assert_eq!(met(Outcome::Complete), (true, false));
        assert_eq!(met(Outcome::Failed), (false, true));
        assert_eq!(met(Outcome::Finished), (true, true));
    }
}
