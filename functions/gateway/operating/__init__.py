"""Inbound events, deliveries, tasks, channels, webhooks and the audit trail, for those who operate the desk."""
