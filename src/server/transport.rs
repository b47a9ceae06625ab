use std::time::Duration;

use tonic::transport::Server;

/// How often a client is asked whether it is there, and how long it has to answer.
pub(super) const PING: Duration = Duration::from_secs(30);
pub(super) const PONG: Duration = Duration::from_secs(20);

/// Calls that are open on one connection: more than are worked on at once, so that a client
/// with too many of them is told so and does not wait for its own.
const STREAMS: u32 = 1_024;

/// Bytes of the headers of a call, names and values as they are unpacked: a token, a
/// deadline and whatever a proxy adds.
const HEADER_BYTES: u32 = 16 << 10;

/// Bytes that wait to be read, of one call and of all calls on a connection. So a
/// stream of ingests that is slowed leaves room for the questions beside it.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Calls that a client opens and takes back before they are looked at ("rapid reset",
/// CVE-2023-44487), and calls that it makes us take back by breaking the protocol
/// ("MadeYouReset", CVE-2025-8671). With more, it is sent away. Well-behaved clients
/// do the first now and then, when a deadline passes at once, and the second hardly ever.
const TAKEN_BACK: usize = 20;
const BROKEN: usize = 100;

/// A server with the bounds of HTTP/2. All that matter are set here, as some would be without
/// bound otherwise. No compression is offered, so nothing unpacks to more than was sent, but
/// for headers.
pub(super) fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(PING))
        .http2_keepalive_timeout(Some(PONG))
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_pending_accept_reset_streams(Some(TAKEN_BACK))
        .http2_max_local_error_reset_streams(Some(BROKEN))
}
