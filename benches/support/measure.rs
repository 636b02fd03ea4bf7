//! CPU, wall time and peak memory of this process.

use std::fmt;
use std::time::{Duration, Instant};

pub(crate) struct Sample {
    wall: Instant,
    cpu: Duration,
}

pub(crate) struct Spent {
    wall: Duration,
    cpu: Duration,
}

impl Sample {
    #[expect(clippy::disallowed_methods, reason = "a bench is about time")]
    pub(crate) fn now() -> Self {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Self {
            wall: Instant::now(),
            cpu: Duration::new(cpu.tv_sec as u64, cpu.tv_nsec as u32),
        }
    }

    pub(crate) fn since(&self, earlier: &Self) -> Spent {
        Spent {
            wall: self.wall - earlier.wall,
            cpu: self.cpu.saturating_sub(earlier.cpu),
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cpu {:.3} s, wall {:.3} s, peak {:.1} MB",
            self.cpu.as_secs_f64(),
            self.wall.as_secs_f64(),
            peak_mb()
        )
    }
}

/// The largest this process has been (proc(5): `VmHWM`, in KiB).
pub(crate) fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0
}
