//! Load at a constant rate, whether or not what was sent before is answered: like readers and
//! agencies, who do not wait for one another. Times count from when a call was due, so that
//! waiting is not left out where the sender could not keep up ("coordinated omission").

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What became of calls.
#[derive(Default)]
pub struct Tally {
    /// How long answers took, sorted.
    pub answered: Vec<Duration>,
    /// How long refusals for load took that say when to try again, sorted.
    pub refused: Vec<Duration>,
    /// Everything else, by what it says.
    pub failed: BTreeMap<String, usize>,
}

/// Makes calls at a rate, per second, for a time, and waits for what comes of them. `call` gets
/// the number of the call.
pub async fn at_rate<C>(rate: f64, time: Duration, call: impl Fn(usize) -> C) -> Tally
where
    C: Future<Output = Result<(), Status>> + Send + 'static,
{
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for number in 0..(rate * time.as_secs_f64()) as usize {
        let due = begun + Duration::from_secs_f64(number as f64 / rate);
        sleep_until(due.into()).await;
        let call = call(number);
        calls.spawn(async move {
            let outcome = call.await;
            (outcome, due.elapsed())
        });
    }
    let mut tally = Tally::default();
    while let Some(ended) = calls.join_next().await {
        let (outcome, took) = ended.unwrap();
        tally.count(outcome, took);
    }
    tally.answered.sort_unstable();
    tally.refused.sort_unstable();
    tally
}

impl Tally {
    fn count(&mut self, outcome: Result<(), Status>, took: Duration) {
        match outcome {
            Ok(()) => self.answered.push(took),
            Err(status) if tells_when(&status) => self.refused.push(took),
            Err(status) => {
                let said = format!("{:?}: {}", status.code(), status.message());
                *self.failed.entry(said).or_default() += 1;
            }
        }
    }
}

/// Whether a call was refused for load, and told when to try again.
fn tells_when(status: &Status) -> bool {
    let retry = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
    status.code() == Code::ResourceExhausted && retry.is_some()
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in [("answered", &self.answered), ("refused", &self.refused)] {
            write!(f, "{name:>12}{:>9}", times.len())?;
            let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share).round() as usize);
            for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
                match at(share) {
                    Some(time) => write!(f, "{:>10.1}", time.as_secs_f64() * 1e3)?,
                    None => write!(f, "{:>10}", "-")?,
                }
            }
            writeln!(f)?;
        }
        for (said, count) in &self.failed {
            writeln!(f, "{:>12}{count:>9}  {said}", "failed")?;
        }
        Ok(())
    }
}
