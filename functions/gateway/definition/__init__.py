"""Life cycles and the information model: drafts, versions, publishing."""
