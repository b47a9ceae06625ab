use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::held::{Held, Share};
use super::transport::{PING, PONG};

/// Connections at once, where the system gives files for that many.
const CONNECTIONS: u64 = 16_384;

/// Files that are for other things than connections: the store, the index, models.
const OTHER_FILES: u64 = 256;

/// How long who connects has to complete a handshake, and then to say the first word.
const HELLO: Duration = Duration::from_secs(10);

/// How long a client may say nothing: it is asked whether it is there before, so who says
/// nothing is not.
const SILENCE: Duration = PING.saturating_add(PONG).saturating_mul(2);

/// How long to wait when no connection can be accepted, which passes once others close.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection, with its place among those there can be.
pub(super) struct Connection {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    /// When the client has been silent for too long.
    silence: Pin<Box<Sleep>>,
    share: Share,
    _place: OwnedSemaphorePermit,
}

/// What is known of its connection with each request.
#[derive(Clone)]
pub(super) struct Peer {
    pub tcp: TcpConnectInfo,
    pub share: Share,
}

/// Connections as they come in, encrypted with the certificate of the time if there is one.
/// Beyond the bound, newcomers wait in the kernel until others close; as who says nothing
/// is let go, that is soon.
pub(super) fn accepted(
    listener: TcpListener,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    held: Arc<Held>,
) -> impl Stream<Item = io::Result<Connection>> {
    let most = most();
    let places = Arc::new(Semaphore::new(most));
    let accepting = stream::unfold((listener, places), |(listener, places)| async move {
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        let stream = accept(&listener).await;
        Some(((stream, place), (listener, places)))
    });
    accepting
        .map(move |(stream, place)| {
            let tls = tls.as_ref().map(|tls| TlsAcceptor::from(Arc::clone(&tls.borrow())));
            AbortOnDropHandle::new(tokio::spawn(Connection::open(
                stream,
                place,
                tls,
                held.connection(),
            )))
        })
        .buffer_unordered(most)
        .filter_map(async |opened| match opened {
            Ok(Ok(connection)) => Some(Ok(connection)),
            // The client's affair, and tried by many.
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection was not accepted");
                None
            }
            Err(_) => None,
        })
}

/// Connections that there can be, after asking the system for as many files as it allows.
fn most() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // What is not granted leaves what was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = files.saturating_sub(OTHER_FILES).clamp(1, CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // One that left while it waited.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

impl Connection {
    async fn open(
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        tls: Option<TlsAcceptor>,
        share: Share,
    ) -> io::Result<Self> {
        // Answers are small and waited for.
        stream.set_nodelay(true)?;
        let stream = match tls {
            None => Either::Left(stream),
            Some(tls) => Either::Right(Box::new(timeout(HELLO, tls.accept(stream)).await??)),
        };
        Ok(Self { stream, silence: Box::pin(sleep(HELLO)), share, _place: place })
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        let tcp = match &self.stream {
            Either::Left(stream) => stream.connect_info(),
            Either::Right(stream) => stream.get_ref().0.connect_info(),
        };
        Peer { tcp, share: self.share.clone() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client says nothing")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
