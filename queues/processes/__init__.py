"""Parts of every worker process: its start, its probes, the leases it holds, its behaviour through an outage."""
