"""Export the whole desk as NDJSON and files, in the form that `scripts.importing` takes."""
