//! The loop of connections, with bounds that axum's own does not know: whoever says too slowly what they want, or holds
//! connections open for nothing, is let go, so that nobody else waits for them.

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How long a request's head may take, and how long a connection may say nothing between requests †.
const HEAD: Duration = Duration::from_secs(10);
/// Header lines of a request.
const MAX_HEADERS: usize = 64;
/// Connections at once †; further ones wait until some end.
const AT_ONCE: usize = 4_096;
/// How long is waited when the system has no connection to give.
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `asked` ends, and then until every request under way is answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, asked: impl Future<Output = ()>) {
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut asked = std::pin::pin!(asked);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            () = &mut asked => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!("a connection cannot be taken: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, &router));
        tokio::spawn(async move {
            // What ends a connection early is the other side's, and told to nobody.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    router: &Router,
) -> hyper::server::conn::http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // An answer is small, and whoever asked waits for all of it.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(MAX_HEADERS);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
