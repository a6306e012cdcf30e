//! What the server itself decides about a request, for the log: a time that is over, a request too many. Bounded, so
//! that a flood of requests is no flood of lines.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use spikard_core::RequestId;
use spikard_ffi::Report;

use crate::{tail::report, transit::Transit};

/// Lines of a second, at most.
const A_SECOND: u32 = 10;

/// How many lines there were lately.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    since: Duration,
    told: u32,
    left_out: u64,
}

impl Notices {
    /// How many were left out since the last line; none: this one is left out too.
    fn admit(&self, now: Duration) -> Option<u64> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(lately.since) >= Duration::from_secs(1) {
            (lately.since, lately.told) = (now, 0);
        }
        if lately.told == A_SECOND {
            lately.left_out += 1;
            return None;
        }
        lately.told += 1;
        Some(std::mem::take(&mut lately.left_out))
    }
}

/// Has the host log it, in a work of its own, which is not in flight: the request's may be what does not end, or there
/// is none.
pub(crate) fn tell(transit: &Arc<Transit>, route: &Arc<str>, request_id: Option<RequestId>, what: &str) {
    let Some(left_out) = transit.notices.admit(transit.platform.now()) else { return };
    let others = match left_out {
        0 => String::new(),
        left_out => format!(" ({left_out} more such requests since the last line)"),
    };
    let report_of =
        Report { exception: None, source: Some(format!("{what}{others}")), route: route.clone(), request_id };
    transit.runtime.run(Box::pin(report(report_of)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_ten_lines_and_the_next_says_how_many_more_there_were() {
        let notices = Notices::default();
        let at = |milliseconds| notices.admit(Duration::from_millis(milliseconds));
        assert!((0..10).all(|place| at(5000 + place) == Some(0)));
        assert!((0..7).all(|place| at(5100 + place).is_none()));
        assert_eq!([at(6000), at(6001)], [Some(7), Some(0)]);
    }
}
