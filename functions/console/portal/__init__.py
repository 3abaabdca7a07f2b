"""The portal of requesters: sign-in by a mailed link, their requests, answers, files, ratings."""
