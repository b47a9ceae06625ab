use std::time::Duration;

/// Why something was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The address is of another kind.
    #[error("only http and https are fetched")]
    Scheme,
    /// It is in a private network, or this machine, and a stranger named it.
    #[error(
        "its address is in a private network, where links from elsewhere may not lead; allow it with allow_private (--allow-private)"
    )]
    Private,
    /// Its port is none that the web uses, and a stranger named it.
    #[error("only the ports 80 and 443 and those from 1024 on are asked, and not {0}")]
    Port(u16),
    /// The host's robots.txt forbids it.
    #[error("robots.txt of its host does not allow it")]
    Robots,
    /// The host wants to be left alone for now.
    #[error("its host asked to be left alone for another {} s", .0.as_secs())]
    LeftAlone(Duration),
    /// The host answered something else than what is there.
    #[error("its host answered {status}{}", waiting(*.retry_after))]
    Status {
        /// The HTTP status.
        status: u16,
        /// When to try again, if the host says so or is busy.
        retry_after: Option<Duration>,
    },
    /// A redirect leads back.
    #[error("its host redirects in a circle")]
    Circle,
    /// There are too many redirects.
    #[error("its host redirects more than {0} times")]
    Redirects(usize),
    /// A redirect leads nowhere.
    #[error("its host answered {0} without saying where to")]
    NoLocation(u16),
    /// It has too many bytes, unpacked.
    #[error("has more than {0} bytes")]
    TooLarge(usize),
    /// It is packed in a way that was not asked for.
    #[error("its host packs it in a way that was not asked for ({0})")]
    Packed(String),
    /// It did not come in time.
    #[error("did not come within {} s", .0.as_secs_f32())]
    Slow(Duration),
    /// There is no such host, or nobody answers there, or not as a web server does.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
}

fn waiting(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(after) => format!(", and is left alone for {} s", after.as_secs()),
        None => String::new(),
    }
}

impl FetchError {
    /// Whether trying again later can help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, retry_after } => {
                retry_after.is_some() || *status >= 500 || [408, 425, 429].contains(status)
            }
            Self::LeftAlone(_) | Self::Slow(_) | Self::Unreachable(_) => true,
            _ => false,
        }
    }

    /// When to try again, if the host says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::LeftAlone(after) => Some(*after),
            _ => None,
        }
    }
}
