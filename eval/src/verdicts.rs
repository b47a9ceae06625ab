//! How good verdicts are.

use std::collections::BTreeMap;
use std::path::Path;

use comfy_table::Table;
use copydesk::corpus::Corpus;
use copydesk::verdict::{Features, Verdict};

use crate::cases::{self, Task};
use crate::data::{self, Failure};
use crate::examples::{self, DOCUMENT, Measured, PASSAGE, UPDATE};
use crate::fit::{Example, out_of_fold};
use crate::measure::{Detection, auc, calibration_error, spread};

const FOLDS: usize = 5;
const BINS: usize = 10;

/// Prints a table of all measures.
pub async fn print(corpus: &Corpus, data: &Path, repeats: u64) -> Result<(), Failure> {
    let measured = examples::measure(corpus, cases::all(data, crate::SEED)?).await?;
    let sentences = examples::sentences(corpus, &data::mrpc(data)?, examples::LABELLED).await?;
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "task",
        "measure",
        "ours",
        "95% of folds",
        "wanted",
        "simple methods",
        "published",
    ]);
    let folds = document_folds(&measured, repeats)?;
    let wanted = [">= .97", ">= .98"];
    pairs(&mut table, &measured, &folds, (Task::Pairs, "Reuters pairs: copy or update"), wanted);
    pairs(&mut table, &measured, &folds, (Task::Likest, "Likest of the stream"), [""; 2]);
    damage(&mut table, &measured, &folds);
    others(&mut table, &measured, &folds);
    rewriting(&mut table, &measured, &folds);
    updates(&mut table, &measured, repeats)?;
    let mut others =
        examples::sentences(corpus, &cases::cut_passages(data, crate::SEED)?, examples::MADE)
            .await?;
    others.extend(examples::passages(&measured));
    mrpc(&mut table, &sentences, &others, repeats)?;
    println!("{table}");
    Ok(())
}

/// The probability of each case as it came, out of fold, in each repetition.
fn document_folds(measured: &[Measured], repeats: u64) -> Result<Vec<Vec<f32>>, Failure> {
    let examples = examples::documents(measured);
    (0..repeats)
        .map(|seed| {
            let all = out_of_fold(&examples, DOCUMENT, FOLDS, seed)?;
            // Each case is there three times, first with its dates.
            Ok(all.into_iter().step_by(3).collect())
        })
        .collect()
}

/// Of each case of a kind, its probability and whether it is a copy or update.
fn scored<'a>(
    measured: &'a [Measured],
    probabilities: &'a [f32],
    wanted: impl Fn(&Measured) -> bool + 'a,
) -> impl Iterator<Item = (f32, bool)> + 'a {
    let both = measured.iter().zip(probabilities).filter(move |(measured, _)| wanted(measured));
    both.map(|(measured, probability)| (*probability, measured.case.is_same()))
}

fn detection(scored: impl Iterator<Item = (f32, bool)>, threshold: f32) -> Detection {
    Detection::of(scored.map(|(probability, is_so)| (probability >= threshold, is_so)))
}

/// What others reached on MRPC: its test part, of classifiers with features of words and syntax
/// (Wan, Dras, Dale and Paris, "Using dependency-based features to take the 'para-farce' out of
/// paraphrase", 2006; "Paraphrase Identification (State of the art)", ACL Wiki).
const MRPC_ACCURACY: &str = ".756, test part (Wan et al. 2006)";
const MRPC_F1: &str = ".830, test part (Wan et al. 2006)";

/// A row of the table: a measure in all repetitions.
fn row(
    table: &mut Table,
    task: &str,
    measure: &str,
    values: &[f64],
    wanted: &str,
    simple: impl Into<String>,
) {
    let (mean, low, high) = spread(values);
    table.add_row([
        task.to_owned(),
        measure.to_owned(),
        format!("{mean:.3}"),
        format!("{low:.3} to {high:.3}"),
        wanted.to_owned(),
        simple.into(),
    ]);
}

fn pairs(
    table: &mut Table,
    measured: &[Measured],
    folds: &[Vec<f32>],
    (task, name): (Task, &str),
    wanted: [&str; 2],
) {
    let is_pair = |measured: &Measured| measured.case.task == task;
    let found: Vec<Detection> = folds
        .iter()
        .map(|fold| detection(scored(measured, fold, is_pair), DOCUMENT.threshold))
        .collect();
    let by = |score: &dyn Fn(&Features) -> f32| {
        let values: Vec<(f32, bool)> = measured
            .iter()
            .filter(|measured| is_pair(measured))
            .map(|measured| (score(&measured.features.document), measured.case.is_same()))
            .collect();
        best_threshold(&values)
    };
    let simple = |name: &'static str| by(&|features| value(features, name));
    let numbers = by(&|features| {
        let shared = value(features, "numbers_shared").exp_m1();
        shared / (shared + value(features, "numbers_replaced").exp_m1()).max(0.5)
    });
    let describe = |measure: fn(Detection) -> f64| {
        format!(
            "cosine {:.2}, containment {:.2}, numbers {:.2}",
            measure(simple("cosine")),
            measure(simple("containment")),
            measure(numbers)
        )
    };
    let all =
        |measure: fn(Detection) -> f64| found.iter().copied().map(measure).collect::<Vec<_>>();
    row(table, name, "F1", &all(Detection::f1), wanted[0], describe(Detection::f1));
    let precision = all(Detection::precision);
    row(table, name, "precision", &precision, wanted[1], describe(Detection::precision));
    row(table, name, "recall", &all(Detection::recall), "", describe(Detection::recall));
}

/// What a threshold finds that was chosen on the very same cases: as good as it can be.
fn best_threshold(values: &[(f32, bool)]) -> Detection {
    let thresholds = values.iter().map(|(value, _)| *value);
    let at = |threshold: f32| detection(values.iter().copied(), threshold);
    thresholds.map(at).max_by(|a, b| a.f1().total_cmp(&b.f1())).unwrap_or_default()
}

fn value(features: &Features, name: &str) -> f32 {
    features.iter().find(|(other, _)| *other == name).map_or(0.0, |(_, value)| *value)
}

fn damage(table: &mut Table, measured: &[Measured], folds: &[Vec<f32>]) {
    const TASK: &str = "Damaged stories";
    const WORST: &str = "10% of characters wrong";
    let is_damage = |measured: &Measured| measured.case.task == Task::Damage;
    let is_bearable = |measured: &Measured| is_damage(measured) && measured.case.kind != WORST;
    let all = |wanted: &dyn Fn(&Measured) -> bool, measure: fn(Detection) -> f64| {
        let found = folds
            .iter()
            .map(|fold| detection(scored(measured, fold, wanted), DOCUMENT.threshold))
            .map(measure);
        found.collect::<Vec<f64>>()
    };
    let upto = "up to 5% wrong: ";
    row(table, TASK, &format!("{upto}recall"), &all(&is_bearable, Detection::recall), ">= .97", "");
    row(
        table,
        TASK,
        &format!("{upto}precision"),
        &all(&is_bearable, Detection::precision),
        ">= .98",
        "",
    );
    let errors: Vec<f64> = folds
        .iter()
        .map(|fold| calibration_error(&scored(measured, fold, is_damage).collect::<Vec<_>>(), BINS))
        .collect();
    row(table, TASK, "calibration error", &errors, "<= .05", "");
    let mut kinds: Vec<&str> =
        measured.iter().filter(|m| is_damage(m)).map(|m| m.case.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let is_kind = |measured: &Measured| is_damage(measured) && measured.case.kind == kind;
        let precision = spread(&all(&is_kind, Detection::precision)).0;
        let note = format!("precision {precision:.3}");
        row(table, &format!("  {kind}"), "recall", &all(&is_kind, Detection::recall), "", note);
    }
}

fn others(table: &mut Table, measured: &[Measured], folds: &[Vec<f32>]) {
    told_as_new(table, measured, folds, Task::Tickers, "Short reports on other companies");
    told_as_new(table, measured, folds, Task::Strangers, "Likest stories of other days");
    told_as_new(table, measured, folds, Task::Unrelated, "Any two stories");
}

fn told_as_new(
    table: &mut Table,
    measured: &[Measured],
    folds: &[Vec<f32>],
    task: Task,
    name: &str,
) {
    let is_task = |measured: &Measured| measured.case.task == task;
    let shares: Vec<f64> = folds
        .iter()
        .map(|fold| {
            let all: Vec<(f32, bool)> = scored(measured, fold, is_task).collect();
            let new = all.iter().filter(|(p, _)| *p < DOCUMENT.threshold).count();
            new as f64 / all.len() as f64
        })
        .collect();
    row(table, name, "told as new", &shares, "", "");
}

fn rewriting(table: &mut Table, measured: &[Measured], folds: &[Vec<f32>]) {
    const TASK: &str = "Clough-Stevenson: rewritten or independent";
    let is_rewriting = |measured: &Measured| measured.case.task == Task::Rewriting;
    let areas: Vec<f64> = folds
        .iter()
        .map(|fold| auc(&scored(measured, fold, is_rewriting).collect::<Vec<_>>()))
        .collect();
    let simple = |name: &'static str| {
        let values = measured.iter().filter(|measured| is_rewriting(measured));
        let values = values
            .map(|measured| (value(&measured.features.document, name), measured.case.is_same()));
        auc(&values.collect::<Vec<_>>())
    };
    let methods =
        format!("cosine {:.3}, containment {:.3}", simple("cosine"), simple("containment"));
    row(table, TASK, "AUC, the task left out", &areas, ">= .985", methods);
    for category in ["cut", "light", "heavy", "non"] {
        let is_category =
            |measured: &Measured| is_rewriting(measured) && measured.case.kind == category;
        let means: Vec<f64> = folds
            .iter()
            .map(|fold| {
                let all: Vec<f64> =
                    scored(measured, fold, is_category).map(|(p, _)| f64::from(p)).collect();
                all.iter().sum::<f64>() / all.len() as f64
            })
            .collect();
        row(table, &format!("  {category}"), "mean probability", &means, "falling", "");
    }
}

fn updates(table: &mut Table, measured: &[Measured], repeats: u64) -> Result<(), Failure> {
    const TASK: &str = "Copy or update";
    let told: Vec<&Measured> = measured
        .iter()
        .filter(|measured| {
            let is_glued = measured.case.kind.starts_with("glued");
            let is_task = match measured.case.task {
                Task::Changes => true,
                Task::Pairs => true,
                Task::Damage => !is_glued,
                Task::Rewriting
                | Task::Retold
                | Task::Tickers
                | Task::Strangers
                | Task::Likest
                | Task::Unrelated => false,
            };
            is_task && measured.case.is_same()
        })
        .collect();
    let examples = examples::updates(measured);
    let mut accuracy = Vec::new();
    let mut confusion: BTreeMap<(String, bool), f64> = BTreeMap::new();
    for seed in 0..repeats {
        let probabilities = out_of_fold(&examples, UPDATE, FOLDS, seed)?;
        let mut right = Detection::default();
        for (measured, probability) in told.iter().zip(&probabilities) {
            let said = *probability >= UPDATE.threshold;
            if measured.case.task == Task::Changes {
                right.count(said == (measured.case.truth == Verdict::Update), true);
            }
            let kind = match measured.case.task {
                Task::Pairs => format!("Reuters, {}", measured.case.kind),
                _ => measured.case.kind.clone(),
            };
            *confusion.entry((kind, said)).or_default() += 1.0 / repeats as f64;
        }
        accuracy.push(right.recall());
    }
    row(table, TASK, "accuracy, made cases", &accuracy, "", "");
    let mut kinds: Vec<String> = confusion.keys().map(|(kind, _)| kind.clone()).collect();
    kinds.dedup();
    for kind in kinds {
        let count = |said| confusion.get(&(kind.clone(), said)).copied().unwrap_or_default();
        let told = format!("copy {:.1}, update {:.1}", count(false), count(true));
        table.add_row([format!("  {kind}"), "told as".to_owned(), told]);
    }
    Ok(())
}

fn mrpc(
    table: &mut Table,
    sentences: &[Example],
    others: &[Example],
    repeats: u64,
) -> Result<(), Failure> {
    const TASK: &str = "MRPC: sentences that are equivalent";
    let examples = [sentences, others].concat();
    let (mut areas, mut errors, mut rests) = (Vec::new(), Vec::new(), Vec::new());
    let (mut accuracies, mut scores) = (Vec::new(), Vec::new());
    for seed in 0..repeats.min(5) {
        let probabilities = out_of_fold(&examples, PASSAGE, FOLDS, seed)?;
        let all: Vec<(f32, bool)> =
            probabilities.iter().zip(&examples).map(|(p, example)| (*p, example.is_so)).collect();
        let (ours, rest) = all.split_at(sentences.len());
        areas.push(auc(ours));
        scores.push(detection(ours.iter().copied(), PASSAGE.threshold).f1());
        let right = ours.iter().filter(|(p, is_so)| (*p >= PASSAGE.threshold) == *is_so).count();
        accuracies.push(right as f64 / ours.len() as f64);
        errors.push(calibration_error(ours, BINS));
        rests.push(auc(rest));
    }
    let simple = |name: &'static str| {
        let values =
            sentences.iter().map(|example| (value(&example.features, name), example.is_so));
        auc(&values.collect::<Vec<_>>())
    };
    let methods = format!(
        "cosine {:.3}, words {:.3}, containment {:.3}",
        simple("cosine"),
        simple("words"),
        simple("containment")
    );
    row(table, TASK, "AUC", &areas, ">= .83", methods);
    for (measure, values, published) in
        [("accuracy", &accuracies, MRPC_ACCURACY), ("F1", &scores, MRPC_F1)]
    {
        let (mean, low, high) = spread(values);
        let range = format!("{low:.3} to {high:.3}");
        table.add_row([TASK, measure, &format!("{mean:.3}"), &range, "", "", published]);
    }
    row(table, TASK, "calibration error", &errors, "<= .05", "");
    row(table, "Passages of pairs and damaged stories, and cuts", "AUC", &rests, "", "");
    Ok(())
}
