use fastembed::{EmbeddingModel, ModelInfo, Pooling as FastembedPooling, TextEmbedding};
use similar::get_close_matches;

use super::SetupError;
use super::manifest::{Manifest, Pooling};

/// What BGE, mxbai and Arctic want before a question.
const REPRESENT: &str = "Represent this sentence for searching relevant passages: ";

/// What the Chinese models of BGE want before a question.
const REPRESENT_ZH: &str = "为这个句子生成表示以用于检索相关文章：";

/// A model in the registry of fastembed.
#[derive(Debug, Clone)]
pub(super) struct Known(ModelInfo<EmbeddingModel>);

/// A file of a model on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HubFile {
    /// Its path on the hub.
    pub source: String,
    /// Its name in a model folder.
    pub name: String,
    /// Whether a model may do without it.
    pub optional: bool,
}

/// What the card of a model says and its files do not.
struct Card {
    query_prefix: &'static str,
    passage_prefix: &'static str,
    /// Primary subtags. `None`: many.
    languages: Option<&'static [&'static str]>,
}

/// The model that fastembed calls `name` or that the hub has under this name, in upper
/// or lower case. Where the hub has several under one name, the plain one.
pub(super) fn resolve(name: &str) -> Option<Known> {
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    let mut models = TextEmbedding::list_supported_models();
    models.retain(|info| same(&info.model.to_string()) || same(&info.model_code));
    // The registry has no order. The names of quantised models are those of the plain
    // ones with a letter more, so that the plain one is the least.
    models.into_iter().min_by_key(|info| info.model.to_string()).map(Known)
}

/// As [`resolve`].
///
/// # Errors
///
/// If there is no such model, or none that we can use.
pub(super) fn lookup(name: &str) -> Result<Known, SetupError> {
    let known = resolve(name).ok_or_else(|| SetupError::UnknownModel {
        name: name.to_owned(),
        nearest: nearest(name),
    })?;
    match known.card() {
        Ok(_) => Ok(known),
        Err(cause) => Err(SetupError::UnsupportedModel { name: known.name(), cause }),
    }
}

/// The three names that are most like `name`.
fn nearest(name: &str) -> String {
    let mut names: Vec<String> = TextEmbedding::list_supported_models()
        .into_iter()
        .map(Known)
        .filter(|known| known.card().is_ok())
        .flat_map(|known| [known.name(), known.code().to_owned()])
        .collect();
    names.sort();
    names.dedup();
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let near = get_close_matches(name.to_lowercase().as_str(), &lower, 3, 0.0);
    let spelt = |near: &&str| names.iter().find(|name| name.eq_ignore_ascii_case(near)).cloned();
    near.iter().filter_map(spelt).collect::<Vec<_>>().join(", ")
}

impl Known {
    /// What fastembed calls it.
    pub fn name(&self) -> String {
        self.0.model.to_string()
    }

    /// What the hub calls it.
    pub fn code(&self) -> &str {
        &self.0.model_code
    }

    /// The name of its folder: the hub's name for it, and for all but the plain one of
    /// several under that name, what tells them apart.
    pub fn folder(&self) -> String {
        let code = self.code().replace('/', "--");
        match base_name(&self.0.model_file).trim_end_matches(".onnx") {
            "model" => code,
            variant => format!("{code}--{variant}"),
        }
    }

    /// Its files, small ones first, so that a model that is not there is noticed soon.
    pub fn files(&self) -> Vec<HubFile> {
        let file = |source: &str, name: &str, optional| HubFile {
            source: source.to_owned(),
            name: name.to_owned(),
            optional,
        };
        let mut files: Vec<HubFile> = ["config.json", "tokenizer_config.json", "tokenizer.json"]
            .into_iter()
            .map(|name| file(name, name, false))
            .collect();
        files.push(file("special_tokens_map.json", "special_tokens_map.json", true));
        // The graph refers to its external weights by name, beside it.
        files.extend(self.0.additional_files.iter().map(|path| file(path, base_name(path), false)));
        files.push(file(&self.0.model_file, "model.onnx", false));
        files
    }

    /// Its manifest.
    ///
    /// # Errors
    ///
    /// If it is a model that we cannot use.
    pub fn manifest(&self) -> Result<Manifest, SetupError> {
        let card = self.card();
        let card =
            card.map_err(|cause| SetupError::UnsupportedModel { name: self.name(), cause })?;
        let owned = |languages: &[&str]| languages.iter().map(|&tag| tag.to_owned()).collect();
        Ok(Manifest {
            name: Some(self.name()),
            pooling: self.pooling(),
            query_prefix: card.query_prefix.to_owned(),
            passage_prefix: card.passage_prefix.to_owned(),
            dimension: Some(self.0.dim),
            languages: card.languages.map(owned),
            ..Manifest::default()
        })
    }

    fn pooling(&self) -> Pooling {
        match TextEmbedding::get_default_pooling_method(&self.0.model) {
            Some(FastembedPooling::Mean) => Pooling::Mean,
            // fastembed takes the first token where nothing is said.
            Some(FastembedPooling::Cls) | None => Pooling::Cls,
        }
    }

    /// Its card, or why it cannot be used. The prefixes are those of the models' cards on
    /// huggingface.co: intfloat/multilingual-e5-small (and -base, -large),
    /// nomic-ai/nomic-embed-text-v1.5 (and v1), lightonai/modernbert-embed-large,
    /// BAAI/bge-small-en-v1.5 (whose table has all of BGE; bge-m3 has none),
    /// mixedbread-ai/mxbai-embed-large-v1 and Snowflake/snowflake-arctic-embed-m (and its
    /// sisters). The other cards name none. Every model is listed, so that a new one in
    /// the registry does not compile before its card was read.
    fn card(&self) -> Result<Card, &'static str> {
        use EmbeddingModel as M;
        let card = |query_prefix, passage_prefix, languages| {
            Ok(Card { query_prefix, passage_prefix, languages })
        };
        let english: Option<&[&str]> = Some(&["en"]);
        match self.0.model {
            M::AllMiniLML6V2
            | M::AllMiniLML6V2Q
            | M::AllMiniLML12V2
            | M::AllMiniLML12V2Q
            | M::AllMpnetBaseV2
            | M::GTEBaseENV15
            | M::GTEBaseENV15Q
            | M::GTELargeENV15
            | M::GTELargeENV15Q
            | M::JinaEmbeddingsV2BaseCode
            | M::JinaEmbeddingsV2BaseEN => card("", "", english),
            M::BGEBaseENV15
            | M::BGEBaseENV15Q
            | M::BGELargeENV15
            | M::BGELargeENV15Q
            | M::BGESmallENV15
            | M::BGESmallENV15Q
            | M::MxbaiEmbedLargeV1
            | M::MxbaiEmbedLargeV1Q
            | M::SnowflakeArcticEmbedXS
            | M::SnowflakeArcticEmbedXSQ
            | M::SnowflakeArcticEmbedS
            | M::SnowflakeArcticEmbedSQ
            | M::SnowflakeArcticEmbedM
            | M::SnowflakeArcticEmbedMQ
            | M::SnowflakeArcticEmbedMLong
            | M::SnowflakeArcticEmbedMLongQ
            | M::SnowflakeArcticEmbedL
            | M::SnowflakeArcticEmbedLQ => card(REPRESENT, "", english),
            M::NomicEmbedTextV1
            | M::NomicEmbedTextV15
            | M::NomicEmbedTextV15Q
            | M::ModernBertEmbedLarge => card("search_query: ", "search_document: ", english),
            M::BGESmallZHV15 | M::BGELargeZHV15 => card(REPRESENT_ZH, "", Some(&["zh"])),
            M::MultilingualE5Small | M::MultilingualE5Base | M::MultilingualE5Large => {
                card("query: ", "passage: ", None)
            }
            M::ParaphraseMLMiniLML12V2
            | M::ParaphraseMLMiniLML12V2Q
            | M::ParaphraseMLMpnetBaseV2
            | M::BGEM3 => card("", "", None),
            M::ClipVitB32 => Err("it embeds captions of pictures, and pools them itself"),
            M::EmbeddingGemma300M | M::EmbeddingGemma300MQ | M::EmbeddingGemma300MQ4 => {
                Err("it pools and projects its vectors itself")
            }
        }
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> Vec<Known> {
        TextEmbedding::list_supported_models().into_iter().map(Known).collect()
    }

    fn manifest(name: &str) -> Manifest {
        lookup(name).unwrap().manifest().unwrap()
    }

    #[test]
    fn a_model_is_found_by_both_of_its_names() {
        for name in ["BGESmallENV15", "bgesmallenv15", "Xenova/bge-small-en-v1.5"] {
            assert_eq!(resolve(name).unwrap().name(), "BGESmallENV15", "{name}");
        }
        assert_eq!(resolve("xenova/BGE-small-en-v1.5").unwrap().name(), "BGESmallENV15");
        assert!(resolve("bge-small").is_none());
        assert!(resolve("").is_none());
    }

    #[test]
    fn where_several_share_a_name_on_the_hub_the_plain_one_is_meant() {
        assert_eq!(resolve("Xenova/all-MiniLM-L12-v2").unwrap().name(), "AllMiniLML12V2");
        assert_eq!(resolve("nomic-ai/nomic-embed-text-v1.5").unwrap().name(), "NomicEmbedTextV15");
        assert_eq!(resolve("AllMiniLML12V2Q").unwrap().name(), "AllMiniLML12V2Q");
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_that_are_like_it() {
        let said = lookup("BAAI/bge-small-en-v1.5").unwrap_err().to_string();
        assert!(said.contains("\"BAAI/bge-small-en-v1.5\""), "{said}");
        assert!(said.contains("Xenova/bge-small-en-v1.5"), "{said}");
        assert!(said.contains("--model"), "{said}");
        assert!(lookup("").unwrap_err().to_string().contains("nearest"));
    }

    #[test]
    fn a_model_that_pools_itself_is_refused() {
        let said = lookup("EmbeddingGemma300M").unwrap_err().to_string();
        assert!(said.starts_with("EmbeddingGemma300M is not supported: "), "{said}");
        // Whatever names its own output does more than give the vectors of tokens.
        for known in all().iter().filter(|known| known.0.output_key.is_some()) {
            assert!(known.card().is_err(), "{}", known.name());
        }
    }

    #[test]
    fn every_model_has_a_folder_of_its_own() {
        let folders: HashSet<String> =
            all().iter().map(|known| known.folder().to_lowercase()).collect();
        assert_eq!(folders.len(), all().len());
        assert!(folders.iter().all(|name| !name.contains(['/', '\\']) && !name.starts_with('.')));
        let folder = |name: &str| resolve(name).unwrap().folder();
        assert_eq!(folder("AllMiniLML12V2"), "Xenova--all-MiniLM-L12-v2");
        assert_eq!(folder("AllMiniLML12V2Q"), "Xenova--all-MiniLM-L12-v2--model_quantized");
    }

    #[test]
    fn every_file_has_a_name_of_its_own_and_the_weights_are_last() {
        for known in all() {
            let files = known.files();
            let names: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(names.len(), files.len(), "{}", known.name());
            assert_eq!(files.last().unwrap().name, "model.onnx");
        }
        let files = resolve("BGEM3").unwrap().files();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert!(names.contains(&"model.onnx_data") && names.contains(&"Constant_7_attr__value"));
    }

    #[test]
    fn the_manifest_says_what_the_card_says() {
        let bge = manifest("BGESmallENV15");
        assert_eq!(bge.name.as_deref(), Some("BGESmallENV15"));
        assert_eq!((bge.pooling, bge.dimension, bge.max_tokens), (Pooling::Cls, Some(384), 256));
        assert_eq!((bge.query_prefix.as_str(), bge.passage_prefix.as_str()), (REPRESENT, ""));
        assert_eq!(bge.languages, Some(vec!["en".to_owned()]));

        let e5 = manifest("intfloat/multilingual-e5-small");
        assert_eq!(e5.pooling, Pooling::Mean);
        assert_eq!(
            (e5.query_prefix.as_str(), e5.passage_prefix.as_str()),
            ("query: ", "passage: ")
        );
        assert_eq!(e5.languages, None);

        let nomic = manifest("NomicEmbedTextV15Q");
        assert_eq!(nomic.query_prefix, "search_query: ");
        assert_eq!(nomic.passage_prefix, "search_document: ");

        let minilm = manifest("AllMiniLML6V2");
        assert_eq!((minilm.query_prefix.as_str(), minilm.pooling), ("", Pooling::Mean));
        assert_eq!(manifest("BGESmallZHV15").languages, Some(vec!["zh".to_owned()]));
    }
}
