// A server within the process, for the examples of the documentation, which include this file.

/// It ends when this is dropped.
struct Embedded {
    address: String,
    _stop: tokio::sync::oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

async fn embedded() -> Result<Embedded, Box<dyn std::error::Error>> {
    use copydesk::corpus::Options;
    use copydesk::embed::{Setup, SetupOptions};
    use copydesk::server::{AccessOptions, ServerConfig, serve};

    let folder = tempfile::tempdir()?;
    let config = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        admin: None,
        web: None,
        data: folder.path().to_owned(),
        setup: Setup::ensure(&SetupOptions::default(), &|_, _| {})?,
        options: Options::default(),
        access: AccessOptions::default(),
        fetch: None,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = serve(config, async {
        let _ = stopped.await;
    });
    let serving = serving.await?;
    serving.ready.await?;
    let address = format!("http://{}", serving.address);
    Ok(Embedded { address, _stop: stop, _folder: folder })
}
