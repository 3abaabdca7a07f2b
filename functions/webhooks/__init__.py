"""/webhooks/{channel}/{account}: one code, deployed once per channel so that each scales alone."""
