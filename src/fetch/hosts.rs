use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
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

/// Bytes of what is remembered of robots.txt, of all hosts.
const ROBOTS_BYTES: u64 = 32 << 20;

/// About how many hosts that is. Few, so that the largest robots.txt has room.
const ROBOTS: usize = 256;

/// All hosts that were asked.
#[derive(Debug)]
pub(super) struct Hosts {
    delay: Duration,
    gates: Mutex<HashMap<Authority, Arc<Gate>>>,
    robots: Cache<Authority, Known, Bytes>,
}

/// What a host's robots.txt said, and when.
#[derive(Debug, Clone)]
struct Known {
    asked: Instant,
    robots: Arc<Robots>,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Authority, Known> for Bytes {
    fn weight(&self, _: &Authority, known: &Known) -> u64 {
        known.robots.bytes() as u64
    }
}

impl Hosts {
    pub fn new(delay: Duration) -> Self {
        let robots = Cache::with_weighter(ROBOTS, ROBOTS_BYTES, Bytes);
        Self { delay, gates: Mutex::default(), robots }
    }

    /// The gate to a host, the same one for all.
    pub fn gate(&self, authority: &Authority) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= HOSTS {
            let now = Instant::now();
            let is_used = |gate: &Arc<Gate>| Arc::strong_count(gate) > 1;
            // Nobody waits there, nor has to.
            gates.retain(|_, gate| is_used(gate) || gate.pace().next > now);
            // So many that want to be left alone are somebody's game.
            if gates.len() >= HOSTS {
                gates.retain(|_, gate| is_used(gate));
            }
        }
        let gate = gates.entry(authority.clone()).or_insert_with(|| {
            let pace = Pace { next: Instant::now(), delay: self.delay };
            let (turn, asking) = (AsyncMutex::default(), AsyncMutex::default());
            Arc::new(Gate { turn, pace: Mutex::new(pace), asking })
        });
        Arc::clone(gate)
    }

    /// What a host's robots.txt says, if that is known.
    pub fn robots(&self, authority: &Authority) -> Option<Arc<Robots>> {
        let known = self.robots.get(authority)?;
        (known.asked.elapsed() < ROBOTS_LAST).then_some(known.robots)
    }

    /// Remembers it.
    pub fn learn(&self, authority: Authority, robots: Robots) -> Arc<Robots> {
        let known = Known { asked: Instant::now(), robots: Arc::new(robots) };
        let robots = Arc::clone(&known.robots);
        self.robots.insert(authority, known);
        robots
    }
}

/// Lets one request at a time through to a host, and none too early.
#[derive(Debug)]
pub(super) struct Gate {
    turn: AsyncMutex<()>,
    pace: Mutex<Pace>,
    asking: AsyncMutex<()>,
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

    /// Who holds this is the one who finds out what robots.txt says.
    pub async fn asking(&self) -> MutexGuard<'_, ()> {
        self.asking.lock().await
    }

    fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Pace)) {
        change(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};
    use url::Url;

    use super::{Hosts, ROBOTS_BYTES};
    use crate::fetch::FetchError;
    use crate::fetch::network::Authority;
    use crate::fetch::robots::Robots;

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

    #[tokio::test]
    async fn hosts_that_make_much_of_themselves_are_forgotten_as_well() {
        let hosts = Hosts::new(Duration::ZERO);
        for number in 0..2 * super::HOSTS {
            let gate = hosts.gate(&authority(&format!("http://{number}.example/")));
            gate.leave_alone(Duration::from_secs(3_600));
        }
        assert!(hosts.gates.lock().unwrap().len() <= super::HOSTS);

        let rules: String = (0..30_000).map(|rule| format!("Disallow: /{rule}\n")).collect();
        let text = format!("User-agent: *\n{rules}");
        let learn = |number| {
            let host = authority(&format!("http://{number}.example/"));
            hosts.learn(host.clone(), Robots::parse(text.as_bytes(), "copydesk"));
            host
        };
        assert!(hosts.robots(&learn(0)).is_some());
        for number in 1..60 {
            learn(number);
        }
        assert!(hosts.robots.weight() <= ROBOTS_BYTES);
    }
}
