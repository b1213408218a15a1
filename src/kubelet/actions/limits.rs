//! How much of this machine a container, or a pod as a whole, may use (design, "Pods without containers": Limits).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::pod_resources::{bytes, milli_cpus};
use crate::api::resource_field::Amounts;

/// What may be used at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsRun {
    /// Bytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Thousandths of a CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milli_cpus: Option<u64>,
}

/// How many bytes a program may fill in a microsecond: about what one core writes.
const BYTES_PER_MICROSECOND: u64 = 2_000;
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(250);

impl LimitsRun {
    /// What a manifest's limits say of memory and CPUs; nothing where they say nothing of them. A limit of zero is none, as
    /// upstream.
    pub fn of(limits: Option<&Amounts>) -> Option<Self> {
        let limits = limits?;
        let positive =
            |amount: Option<i64>| amount.and_then(|amount| u64::try_from(amount).ok()).filter(|n| *n > 0);
        let found =
            Self { memory: positive(bytes(limits, "memory")), milli_cpus: positive(milli_cpus(limits)) };
        (found != Self::default()).then_some(found)
    }

    /// How many whole CPUs hold what it may use of them.
    pub fn cpus(self) -> Option<usize> {
        self.milli_cpus.map(|milli| milli.div_ceil(1000) as usize)
    }
}

/// When to look again at the memory of a container that nothing but looking limits; nothing when it has more than it may.
pub fn until_next_look(used: u64, limit: u64) -> Option<Duration> {
    let left = limit.checked_sub(used)?;
    Some(Duration::from_micros(left / BYTES_PER_MICROSECOND).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

    fn limits(amounts: &[(&str, &str)]) -> Option<LimitsRun> {
        let amounts = amounts.iter().map(|(name, amount)| ((*name).into(), Quantity((*amount).into())));
        LimitsRun::of(Some(&amounts.collect()))
    }

    #[test]
    fn a_manifest_limits_memory_and_cpus() {
        assert_eq!(LimitsRun::of(None), None);
        assert_eq!(limits(&[("ephemeral-storage", "1Gi"), ("nvidia.com/gpu", "1")]), None);
        assert_eq!(limits(&[("memory", "0"), ("cpu", "0")]), None, "zero is no limit");
        let both = limits(&[("memory", "64Mi"), ("cpu", "1500m")]).expect("limits");
        assert_eq!(both, LimitsRun { memory: Some(64 << 20), milli_cpus: Some(1500) });
        assert_eq!(both.cpus(), Some(2));
        assert_eq!(limits(&[("cpu", "2")]).and_then(LimitsRun::cpus), Some(2));
        assert_eq!(limits(&[("cpu", "1m")]).and_then(LimitsRun::cpus), Some(1));
    }

    #[test]
    fn memory_is_looked_at_the_more_often_the_less_is_left() {
        let limit = 1 << 30;
        for (used, milliseconds) in [
            (0, Some(250)),
            (limit - 200_000_000, Some(100)),
            (limit - 1, Some(5)),
            (limit, Some(5)),
            (limit + 1, None),
        ] {
            assert_eq!(until_next_look(used, limit), milliseconds.map(Duration::from_millis), "{used}");
        }
    }
}
