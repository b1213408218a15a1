//! Probes and hooks: when a container is looked at, and what follows from what is found (kubernetes-behaviour 4.8).

#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, Utc};
use k8s_openapi::api::core::v1::{
    ExecAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::{Deserialize, Serialize};

use crate::api::Container;

/// What a container is asked, or told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handler {
    /// Run this in it.
    Exec(Vec<String>),
    /// Open a connection.
    Tcp {
        /// Where.
        host: String,
        /// At which port.
        port: u16,
    },
    /// Ask for a page.
    Http {
        /// Where.
        host: String,
        /// At which port.
        port: u16,
        /// Which.
        path: String,
        /// Beside the usual headers.
        headers: Vec<(String, String)>,
    },
    /// Wait so many seconds.
    Sleep(i64),
}

/// A probe, resolved; times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRun {
    /// What is asked.
    pub handler: Handler,
    /// How long after the container's start.
    pub initial_delay: i64,
    /// How often.
    pub period: i64,
    /// How long an answer may take.
    pub timeout: i64,
    /// How many answers in a row make a success.
    pub success_threshold: u32,
    /// How many in a row make a failure.
    pub failure_threshold: u32,
    /// How long a container that has failed may take to end, where that is not the pod's.
    pub grace: Option<i64>,
}

/// The probes and hooks of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbesRun {
    /// Until it passes, the others wait.
    pub startup: Option<ProbeRun>,
    /// When it fails, the container is started anew.
    pub liveness: Option<ProbeRun>,
    /// As long as it passes, the container is ready.
    pub readiness: Option<ProbeRun>,
    /// Done right after the start.
    pub post_start: Option<Handler>,
    /// Done before the container is told to end.
    pub pre_stop: Option<Handler>,
}

impl ProbesRun {
    /// Those of a container; `address` is the pod's.
    pub fn of(container: &Container, address: &str) -> Option<Self> {
        let probe = |probe: &Option<Probe>| ProbeRun::of(probe.as_ref()?, container, address);
        let lifecycle = container.lifecycle.as_ref();
        let hook = |hook: Option<&LifecycleHandler>| {
            let LifecycleHandler { exec, http_get, sleep, tcp_socket } = hook?;
            handler(exec.as_ref(), tcp_socket.as_ref(), http_get.as_ref(), sleep.as_ref(), container, address)
        };
        let probes = Self {
            startup: probe(&container.startup_probe),
            liveness: probe(&container.liveness_probe),
            readiness: probe(&container.readiness_probe),
            post_start: hook(lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref())),
            pre_stop: hook(lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref())),
        };
        (probes != Self::default()).then_some(probes)
    }

    /// The probe of a kind.
    pub fn get(&self, kind: ProbeKind) -> Option<&ProbeRun> {
        match kind {
            ProbeKind::Startup => self.startup.as_ref(),
            ProbeKind::Liveness => self.liveness.as_ref(),
            ProbeKind::Readiness => self.readiness.as_ref(),
        }
    }
}

impl ProbeRun {
    fn of(probe: &Probe, container: &Container, address: &str) -> Option<Self> {
        let number = |given: Option<i32>, default: i32| given.filter(|number| *number > 0).unwrap_or(default);
        let handler = handler(
            probe.exec.as_ref(),
            probe.tcp_socket.as_ref(),
            probe.http_get.as_ref(),
            None,
            container,
            address,
        )?;
        Some(Self {
            handler,
            initial_delay: i64::from(number(probe.initial_delay_seconds, 0)),
            period: i64::from(number(probe.period_seconds, 10)),
            timeout: i64::from(number(probe.timeout_seconds, 1)),
            success_threshold: number(probe.success_threshold, 1).unsigned_abs(),
            failure_threshold: number(probe.failure_threshold, 3).unsigned_abs(),
            grace: probe.termination_grace_period_seconds,
        })
    }
}

fn handler(
    exec: Option<&ExecAction>,
    tcp: Option<&TCPSocketAction>,
    http: Option<&HTTPGetAction>,
    sleep: Option<&SleepAction>,
    container: &Container,
    address: &str,
) -> Option<Handler> {
    let host = |host: &Option<String>| {
        host.clone().filter(|host| !host.is_empty()).unwrap_or_else(|| address.to_owned())
    };
    if let Some(exec) = exec {
        return Some(Handler::Exec(exec.command.clone().unwrap_or_default()));
    }
    if let Some(tcp) = tcp {
        return Some(Handler::Tcp { host: host(&tcp.host), port: port(&tcp.port, container)? });
    }
    if let Some(http) = http {
        let headers = http.http_headers.iter().flatten();
        return Some(Handler::Http {
            host: host(&http.host),
            port: port(&http.port, container)?,
            path: http.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".into()),
            headers: headers.map(|header| (header.name.clone(), header.value.clone())).collect(),
        });
    }
    sleep.map(|sleep| Handler::Sleep(sleep.seconds))
}

/// A port by its number, or by the name that the container gives it.
fn port(port: &IntOrString, container: &Container) -> Option<u16> {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => container
            .ports
            .iter()
            .flatten()
            .find(|port| port.name.as_deref() == Some(name))
            .map(|port| port.container_port)
            .or_else(|| name.parse().ok()),
    };
    u16::try_from(number?).ok()
}

/// What a probe is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Whether the container has come up.
    Startup,
    /// Whether it lives.
    Liveness,
    /// Whether it is ready for requests.
    Readiness,
}

impl ProbeKind {
    /// As Events spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

const KINDS: [ProbeKind; 3] = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing new.
    Nothing,
    /// The container has come up.
    Started,
    /// It is ready, or not any more.
    Ready(bool),
    /// It is to be ended, with so many seconds if the probe says how many.
    Kill(Option<i64>),
}

/// How one probe of a running container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    next: DateTime<Utc>,
    is_asking: bool,
    passed: u32,
    failed: u32,
}

/// How the probes of a running container stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStates {
    standings: [Standing; 3],
    started: bool,
}

impl ProbeStates {
    /// Those of a container that has just been started.
    pub fn new(probes: &ProbesRun, now: DateTime<Utc>) -> Self {
        let standing = |kind| {
            let delay = probes.get(kind).map_or(0, |probe| probe.initial_delay);
            Standing { next: now + Duration::seconds(delay), is_asking: false, passed: 0, failed: 0 }
        };
        Self { standings: KINDS.map(standing), started: probes.startup.is_none() }
    }

    fn is_wanted(&self, probes: &ProbesRun, kind: ProbeKind) -> bool {
        let standing = &self.standings[kind as usize];
        let is_its_turn = (kind == ProbeKind::Startup) != self.started;
        probes.get(kind).is_some() && is_its_turn && !standing.is_asking
    }

    /// The probes to ask now.
    pub fn due(&mut self, probes: &ProbesRun, now: DateTime<Utc>) -> Vec<ProbeKind> {
        let due: Vec<ProbeKind> = KINDS
            .into_iter()
            .filter(|kind| self.is_wanted(probes, *kind) && self.standings[*kind as usize].next <= now)
            .collect();
        for kind in &due {
            let period = probes.get(*kind).map_or(1, |probe| probe.period);
            let standing = &mut self.standings[*kind as usize];
            standing.is_asking = true;
            standing.next = now + Duration::seconds(period);
        }
        due
    }

    /// When the next is to be asked.
    pub fn next(&self, probes: &ProbesRun) -> Option<DateTime<Utc>> {
        let wanted = KINDS.into_iter().filter(|kind| self.is_wanted(probes, *kind));
        wanted.map(|kind| self.standings[kind as usize].next).min()
    }

    /// Takes in an answer.
    pub fn take(&mut self, probes: &ProbesRun, kind: ProbeKind, passed: bool) -> Finding {
        let Some(probe) = probes.get(kind) else { return Finding::Nothing };
        let standing = &mut self.standings[kind as usize];
        standing.is_asking = false;
        if passed {
            standing.failed = 0;
            standing.passed = standing.passed.saturating_add(1);
            if standing.passed < probe.success_threshold {
                return Finding::Nothing;
            }
        } else {
            standing.passed = 0;
            standing.failed = standing.failed.saturating_add(1);
            if standing.failed < probe.failure_threshold {
                return Finding::Nothing;
            }
        }
        match (kind, passed) {
            (ProbeKind::Startup, true) => {
                self.started = true;
                Finding::Started
            }
            (ProbeKind::Readiness, passed) => Finding::Ready(passed),
            (ProbeKind::Liveness, true) => Finding::Nothing,
            (ProbeKind::Startup | ProbeKind::Liveness, false) => Finding::Kill(probe.grace),
        }
    }
}
