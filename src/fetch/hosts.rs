use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::time::Instant;

use super::FetchError;
use super::network::Authority;
use super::robots::Robots;

/// Hosts that are remembered.
const HOSTS: usize = 4_096;

/// How long a request waits for a host that wants to be left alone, instead of failing.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what robots.txt says is believed (RFC 9309, section 2.4).
const ROBOTS_LAST: Duration = Duration::from_secs(24 * 3_600);

/// All hosts that were asked.
#[derive(Debug)]
pub(super) struct Hosts {
    delay: Duration,
    gates: Mutex<HashMap<Authority, Arc<Gate>>>,
}

impl Hosts {
    pub fn new(delay: Duration) -> Self {
        Self { delay, gates: Mutex::default() }
    }

    /// The gate to a host, the same one for all.
    pub fn gate(&self, authority: &Authority) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= HOSTS {
            let now = Instant::now();
            // Nobody waits there, nor has to.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || gate.pace().next > now);
        }
        let gate = gates.entry(authority.clone()).or_insert_with(|| {
            let pace = Pace { next: Instant::now(), delay: self.delay };
            Arc::new(Gate {
                turn: AsyncMutex::default(),
                pace: Mutex::new(pace),
                robots: AsyncMutex::default(),
            })
        });
        Arc::clone(gate)
    }
}

/// Lets one request at a time through to a host, and none too early.
#[derive(Debug)]
pub(super) struct Gate {
    turn: AsyncMutex<()>,
    pace: Mutex<Pace>,
    robots: AsyncMutex<KnownRobots>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// When it may be asked again.
    next: Instant,
    /// Between one answer and the next request.
    delay: Duration,
}

/// The right to ask a host now. The delay begins when it is given back.
pub(super) struct Turn<'a> {
    gate: &'a Gate,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.gate.change(|pace| pace.next = pace.next.max(Instant::now() + pace.delay));
    }
}

impl Gate {
    /// Waits until the host may be asked.
    pub async fn turn(&self) -> Result<Turn<'_>, FetchError> {
        let turn = self.turn.lock().await;
        let next = self.pace().next;
        let wait = next.saturating_duration_since(Instant::now());
        if wait > PATIENCE.max(self.pace().delay) {
            return Err(FetchError::LeftAlone(wait));
        }
        tokio::time::sleep_until(next).await;
        Ok(Turn { gate: self, _turn: turn })
    }

    /// Does not ask for so long.
    pub fn leave_alone(&self, time: Duration) {
        self.change(|pace| pace.next = pace.next.max(Instant::now() + time));
    }

    /// Leaves at least so much time between requests.
    pub fn slow_down(&self, delay: Duration) {
        self.change(|pace| pace.delay = pace.delay.max(delay));
    }

    /// What is known of robots.txt. Who holds this is the one who finds out.
    pub async fn robots(&self) -> MutexGuard<'_, KnownRobots> {
        self.robots.lock().await
    }

    fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Pace)) {
        change(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What a host's robots.txt said, and when.
#[derive(Debug, Default)]
pub(super) struct KnownRobots(Option<(Instant, Arc<Robots>)>);

impl KnownRobots {
    pub fn current(&self) -> Option<Arc<Robots>> {
        let (asked, robots) = self.0.as_ref()?;
        (asked.elapsed() < ROBOTS_LAST).then(|| Arc::clone(robots))
    }

    pub fn learn(&mut self, robots: Robots) -> Arc<Robots> {
        let robots = Arc::new(robots);
        self.0 = Some((Instant::now(), Arc::clone(&robots)));
        robots
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};
    use url::Url;

    use super::Hosts;
    use crate::fetch::FetchError;
    use crate::fetch::network::Authority;

    fn authority(url: &str) -> Authority {
        Authority::of(&Url::parse(url).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn requests_to_one_host_take_turns_and_leave_it_time() {
        let delay = Duration::from_millis(40);
        let hosts = Hosts::new(delay);
        let gate = hosts.gate(&authority("http://a.example/1"));
        let first = gate.turn().await.unwrap();
        let same = hosts.gate(&authority("http://a.example:80/2"));
        assert!(timeout(Duration::from_millis(1), same.turn()).await.is_err());
        // Another one does not wait for it.
        drop(hosts.gate(&authority("http://b.example/")).turn().await.unwrap());
        drop(first);
        let given_back = Instant::now();
        drop(same.turn().await.unwrap());
        assert!(given_back.elapsed() >= delay);
        gate.slow_down(2 * delay);
        drop(gate.turn().await.unwrap());
        let given_back = Instant::now();
        drop(gate.turn().await.unwrap());
        assert!(given_back.elapsed() >= 2 * delay);
    }

    #[tokio::test]
    async fn a_host_that_wants_to_be_left_alone_is() {
        let hosts = Hosts::new(Duration::ZERO);
        let gate = hosts.gate(&authority("http://a.example/"));
        let told = Instant::now();
        gate.leave_alone(Duration::from_millis(50));
        drop(gate.turn().await.unwrap());
        assert!(told.elapsed() >= Duration::from_millis(50));
        gate.leave_alone(Duration::from_secs(3_600));
        assert!(matches!(gate.turn().await, Err(FetchError::LeftAlone(_))));
    }

    #[tokio::test]
    async fn hosts_that_nobody_waits_for_are_forgotten() {
        let hosts = Hosts::new(Duration::ZERO);
        let kept = hosts.gate(&authority("http://kept.example/"));
        kept.leave_alone(Duration::from_secs(3_600));
        drop(kept);
        for number in 0..2 * super::HOSTS {
            hosts.gate(&authority(&format!("http://{number}.example/")));
        }
        let gates = hosts.gates.lock().unwrap();
        assert!(gates.len() <= super::HOSTS);
        assert!(gates.contains_key(&authority("http://kept.example/")));
    }
}
