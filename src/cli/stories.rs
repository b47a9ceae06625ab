use super::args::{StoriesArgs, StoryArgs};
use super::documents::PAGE;
use super::failure::Failure;
use super::output::{day, json, line, published, short, table, verdict};
use crate::client::Client;
use crate::proto::v1 as pb;

/// Characters of the outlets of a story that a listing shows.
const OUTLETS: usize = 80;

/// Shows a story with its documents, earliest first.
pub async fn story(mut client: Client, args: StoryArgs, as_json: bool) -> Result<(), Failure> {
    let most = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let story = whole(&mut client, &args.id, most).await?;
    if as_json {
        return json("GetStoryResponse", &story);
    }
    heading(&story.story.unwrap_or_default())?;
    let mut rows = table(["", "outlet", "date", "verdict", "id", "title"]);
    for (place, document) in story.documents.iter().enumerate() {
        rows.add_row([
            if place == 0 { "first".to_owned() } else { String::new() },
            document.source.clone(),
            published(document),
            verdict(document.verdict).to_owned(),
            document.document_id.clone(),
            short(&document.title, 100),
        ]);
    }
    line(rows)
}

/// A story with at most `most` of its documents: all pages in one.
async fn whole(
    client: &mut Client,
    id: &str,
    most: usize,
) -> Result<pb::GetStoryResponse, Failure> {
    let mut documents = Vec::new();
    let mut page_token = String::new();
    loop {
        let left = most.saturating_sub(documents.len());
        let request = pb::GetStoryRequest {
            story_id: id.to_owned(),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX),
            page_token,
        };
        let page = client.story.get_story(request).await?.into_inner();
        documents.extend(page.documents);
        page_token = page.next_page_token;
        if page_token.is_empty() || documents.len() >= most {
            let story = page.story;
            return Ok(pb::GetStoryResponse { story, documents, next_page_token: page_token });
        }
    }
}

fn heading(story: &pb::Story) -> Result<(), Failure> {
    for (name, value) in [
        ("id", story.story_id.clone()),
        ("title", story.title.clone()),
        ("first", day(story.first_published_at)),
        ("last", day(story.last_published_at)),
        ("updated", day(story.updated_at)),
        (
            "documents",
            format!(
                "{}, {} of them no copies of another one",
                story.document_count, story.distinct_document_count
            ),
        ),
        ("outlets", story.sources.join(", ")),
        ("merged", story.merged_story_ids.join(", ")),
    ] {
        if !value.is_empty() {
            line(format_args!("{name:<10} {value}"))?;
        }
    }
    Ok(())
}

/// Lists stories, most recently updated first.
pub async fn stories(mut client: Client, args: StoriesArgs, as_json: bool) -> Result<(), Failure> {
    let filter = args.filter.into_filter();
    let mut rows = table(["id", "title", "first, last", "documents (distinct)", "outlets"]);
    let mut left = args.limit;
    let mut page_token = String::new();
    while left > 0 {
        let request = pb::ListStoriesRequest {
            filter: Some(filter.clone()),
            min_distinct_documents: args.min_documents,
            page_size: i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX),
            page_token,
        };
        let page = client.story.list_stories(request).await?.into_inner();
        left = left.saturating_sub(page.stories.len());
        for story in page.stories {
            if as_json {
                json("Story", &story)?;
                continue;
            }
            rows.add_row([
                story.story_id.clone(),
                short(&story.title, 100),
                days(&story),
                format!("{} ({})", story.document_count, story.distinct_document_count),
                short(&story.sources.join(", "), OUTLETS),
            ]);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if as_json { Ok(()) } else { line(rows) }
}

/// The days of a story's first and last documents; one, where they are the same.
fn days(story: &pb::Story) -> String {
    let mut days = vec![day(story.first_published_at), day(story.last_published_at)];
    days.dedup();
    days.join("\n")
}
