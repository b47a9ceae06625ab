//! What the program logs, and what it exports of its spans.

use std::io::{self, IsTerminal};

use http::Uri;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::args::LogFormat;
use super::failure::Failure;

/// Libraries that see what callers send, and at finer levels tell it.
const SEEING: [&str; 7] = ["axum", "h2", "hyper", "hyper_util", "opentelemetry", "tonic", "tower"];

/// The logs of the program. What waits to be exported is sent by [`Self::finish`].
pub struct Logs(Option<SdkTracerProvider>);

/// Logs to standard error what `filter` lets through, and exports spans to the collector at
/// `otlp`, if one is named. To be called within the runtime.
///
/// # Errors
///
/// If the filter is none, or the address is not one of a collector.
pub fn start(filter: &str, format: LogFormat, otlp: Option<&Uri>) -> Result<Logs, Failure> {
    let wrong = |cause: String| Failure::Settings(format!("--log {filter:?}: {cause}"));
    let mut levels = EnvFilter::try_new(filter).map_err(|error| wrong(error.to_string()))?;
    for name in SEEING {
        let directive = format!("{name}=info").parse();
        levels = levels.add_directive(directive.map_err(|_| wrong(name.to_owned()))?);
    }
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let provider = otlp.map(exporting).transpose()?;
    let spans = provider.as_ref().map(spans);
    // A test may have its own.
    let _ = tracing_subscriber::registry().with(lines.with_filter(levels)).with(spans).try_init();
    Ok(Logs(provider))
}

impl Logs {
    /// Exports what waits.
    pub fn finish(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Sends spans to a collector, some together, from a thread of its own.
fn exporting(collector: &Uri) -> Result<SdkTracerProvider, Failure> {
    let wrong = |cause: String| Failure::Settings(format!("--otlp {collector}: {cause}"));
    if collector.scheme_str() != Some("http") {
        return Err(wrong("give the address of a collector nearby, http://HOST:PORT".to_owned()));
    }
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector.to_string());
    let exporter = exporter.build().map_err(|error| wrong(error.to_string()))?;
    let resource = Resource::builder().with_service_name("copydesk");
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.with_attribute(version).build())
        .build())
}

/// Takes the spans of requests and their steps, and none of what libraries do.
fn spans<S>(provider: &SdkTracerProvider) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let own = Targets::new().with_target("copydesk", LevelFilter::INFO);
    tracing_opentelemetry::layer().with_tracer(provider.tracer("copydesk")).with_filter(own)
}
