"""The parser's child process: it parses large events within limits of time, memory and rights."""
