//! Measures Copydesk's answers on labelled data, and fits the parameters of its verdicts.

mod candidates;
mod cases;
mod damage;
mod data;
mod examples;
mod fit;
mod listwise;
mod measure;
mod pages;
mod related;
mod retrieval;
mod stream;
mod verdicts;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use copydesk::corpus::{Corpus, Options};
use copydesk::embed::{Setup, SetupOptions};
use data::Failure;

/// Measures Copydesk's answers on labelled data, and fits the parameters of its verdicts.
#[derive(Parser)]
struct Arguments {
    /// The folder of the labelled data.
    #[arg(long, global = true, default_value = "../shared/data")]
    data: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Prints how good verdicts are, beside simple methods (the default).
    Verdicts {
        /// How often folds are drawn.
        #[arg(long, default_value_t = 20)]
        repeats: u64,
    },
    /// Takes in the whole Reuters stream in the order of time, and tells what families it
    /// makes and which copies would find what they are made from.
    Stream {
        /// Families to write down for reading, drawn at random from those with members.
        #[arg(long, default_value_t = 50)]
        read: usize,
        /// Where to write them.
        #[arg(long, default_value = "target/families.txt")]
        to: PathBuf,
    },
    /// Prints how good answers about related coverage and stories are, beside simple methods.
    Related {
        /// Only for collections whose names contain this, with the parameters that are served.
        #[arg(long)]
        served: Option<String>,
        /// Feed documents in, in several orders, and see what stories they make.
        #[arg(long)]
        stories: bool,
    },
    /// Prints how well articles are found in pages of the web, beside a simple method.
    Pages,
    /// Fits the probabilities of being related and writes them.
    FitRelated {
        #[arg(long, default_value = "src/related/parameters.toml")]
        to: PathBuf,
    },
    /// Fits the parameters of verdicts and writes them.
    Fit {
        #[arg(long, default_value = "src/verdict/parameters.toml")]
        to: PathBuf,
    },
}

/// Seed of what is made at random.
const SEED: u64 = 5;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let data = &arguments.data;
    if !data.is_dir() {
        println!("no labelled data in {}; give its folder with --data", data.display());
        return Ok(());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let corpus = open(folder.path())?;
    match arguments.command.unwrap_or(Command::Verdicts { repeats: 20 }) {
        Command::Verdicts { repeats } => runtime.block_on(verdicts::print(&corpus, data, repeats)),
        Command::Stream { read, to } => runtime.block_on(async {
            stream::run(&corpus, data, read, &to).await?;
            candidates::print(&corpus, &cases::all(data, SEED)?).await
        }),
        Command::Related { served, stories } => {
            runtime.block_on(related::print(data, served.as_deref(), stories))
        }
        Command::Pages => pages::print(data),
        Command::FitRelated { to } => runtime.block_on(related::fit(data, &to)),
        Command::Fit { to } => runtime.block_on(fit_to(&corpus, data, &to)),
    }
}

fn open(folder: &Path) -> Result<Corpus, Failure> {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {})?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Corpus::open(folder, &setup, Options { workers, ..Options::default() })?)
}

async fn fit_to(corpus: &Corpus, data: &Path, to: &Path) -> Result<(), Failure> {
    let measured = examples::measure(corpus, cases::all(data, SEED)?).await?;
    let mut passages = examples::sentences(corpus, &data::mrpc(data)?, examples::LABELLED).await?;
    passages.extend(
        examples::sentences(corpus, &cases::cut_passages(data, SEED)?, examples::MADE).await?,
    );
    passages.extend(examples::passages(&measured));
    let model = corpus.model().id.clone();
    let model = model.rsplit_once('/').map_or(model.as_str(), |(model, _)| model);
    let documents = examples::documents(&measured);
    let updates = examples::updates(&measured);
    let fitted = examples::fit_all(model, &documents, &updates, &passages)?;
    let text = format!(
        "# Parameters of verdicts. Made by `cargo run --release -p copydesk-eval -- fit`.\n\n{}",
        toml::to_string(&fitted)?
    );
    std::fs::write(to, text)?;
    println!(
        "fitted to {} documents, {} updates and {} passages: {}",
        documents.len(),
        updates.len(),
        passages.len(),
        to.display()
    );
    Ok(())
}
