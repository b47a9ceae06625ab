//! What a server works on while somebody waits for it.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use indicatif::ProgressBar;

use super::progress;
use crate::client::Client;
use crate::proto::v1 as pb;

/// How often the server is asked how far it is.
pub const INTERVAL: Duration = Duration::from_millis(500);

/// Waits for a call, and shows meanwhile how far the server says that work of these names is.
pub async fn meanwhile<T>(
    client: &mut Client,
    call: impl Future<Output = T>,
    bar: &ProgressBar,
    names: &[&str],
) -> T {
    let mut call = pin!(call);
    loop {
        if let Ok(ended) = tokio::time::timeout(INTERVAL, &mut call).await {
            return ended;
        }
        // Who waits is not told off if this fails: the call says what is wrong.
        let Ok(info) = client.admin.get_server_info(pb::GetServerInfoRequest {}).await else {
            continue;
        };
        let work = info.into_inner().corpus.unwrap_or_default().background_work;
        let shares = work.iter().filter_map(|work| share(work));
        let found = shares.into_iter().find(|(name, _)| names.contains(name));
        match found {
            Some((_, share)) => progress::tell_share(bar, share),
            None => progress::tell_unknown(bar),
        }
    }
}

/// The name of work and its share in percent, of "merge 40%".
fn share(work: &str) -> Option<(&str, u64)> {
    let (name, share) = work.strip_suffix('%')?.rsplit_once(' ')?;
    Some((name, share.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn work_has_a_name_and_a_share() {
        assert_eq!(share("merge 40%"), Some(("merge", 40)));
        assert_eq!(share("embedding with x failed: 40"), None);
        assert_eq!(share("40%"), None);
    }
}
