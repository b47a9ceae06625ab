"""Counts how labelled events and stories meet."""

from copydesk import Client

with Client() as desk:
    documents = desk.list(page_size=100).to_frame()

documents["event"] = documents["labels"].str.get("event")
stories = documents.dropna(subset="event").groupby("story_id")["event"]
for story, events in stories:
    if len(events) > 1:
        print(f"{story}: {events.value_counts().to_dict()}")
print(f"{(stories.size() == 1).sum()} stories of one document")
print(f"{(stories.nunique() > 1).sum()} stories that mix events")
