//! `-o name`: the resource's singular name with its group, a slash, the object's name.

/// The prefix of a kind's objects in `-o name` and in tables of several kinds: `job.batch`, `pod`.
pub fn resource(api_version: &str, kind: &str) -> String {
    let mut resource = kind.to_lowercase();
    if let Some((group, _version)) = api_version.split_once('/') {
        resource.push('.');
        resource.push_str(group);
    }
    resource
}

/// One object's name: `job.batch/pi`.
pub fn name(api_version: &str, kind: &str, name: &str) -> String {
    format!("{}/{name}", resource(api_version, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_part_of_the_name_and_the_version_is_not() {
        assert_eq!(name("batch/v1", "Job", "pi"), "job.batch/pi");
        assert_eq!(name("batch/v1", "CronJob", "hello"), "cronjob.batch/hello");
        assert_eq!(name("v1", "Pod", "x"), "pod/x");
    }
}
