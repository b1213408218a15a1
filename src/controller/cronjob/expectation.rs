//! CronJobs that are to succeed every so often: ours, as no Kubernetes has it.

use chrono::{DateTime, Duration, SecondsFormat, Utc};

use super::Sync;
use crate::api::ObjectMeta;
use crate::api::durations;
use crate::api::meta::{ANNOTATION_EXPECT_EVERY, ANNOTATION_OVERDUE, annotation};

impl Sync<'_> {
    /// Marks a CronJob that has not succeeded for as long as it says, and takes the mark back when it has. Returns its
    /// metadata with that, and when to look again.
    pub(super) fn look_after_expectation(&mut self) -> (ObjectMeta, Option<DateTime<Utc>>) {
        let mut metadata = self.cron_job.metadata.clone();
        let marked = annotation(&metadata, ANNOTATION_OVERDUE).map(str::to_owned);
        let wanted = self.overdue();
        let (since, overdue_at) = match &wanted {
            Some((since, at)) if *at <= self.now => (Some(since), None),
            Some((_, at)) => (None, Some(*at)),
            None => (None, None),
        };
        let since = since.map(|since| since.to_rfc3339_opts(SecondsFormat::Secs, true));
        if since != marked {
            let annotations = metadata.annotations.get_or_insert_default();
            match &since {
                Some(since) => drop(annotations.insert(ANNOTATION_OVERDUE.to_owned(), since.clone())),
                None => drop(annotations.remove(ANNOTATION_OVERDUE)),
            }
            if let Some(since) = since {
                let every = annotation(&self.cron_job.metadata, ANNOTATION_EXPECT_EVERY).unwrap_or_default();
                self.event("Warning", "Overdue", &format!("Has not succeeded for {every}, since {since}"));
            }
        }
        (metadata, overdue_at)
    }

    /// Since when it has not succeeded, and when that is too long. One that is suspended is not to.
    fn overdue(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let text = annotation(&self.cron_job.metadata, ANNOTATION_EXPECT_EVERY)?;
        let every = durations::parse(text).ok().filter(|every| *every > Duration::zero())?;
        if self.spec.suspend == Some(true) {
            return None;
        }
        let created = self.cron_job.metadata.creation_timestamp.as_ref()?.0;
        let since = self.status.last_successful_time.as_ref().map_or(created, |last| last.0.max(created));
        Some((since, since.checked_add_signed(every)?))
    }
}
