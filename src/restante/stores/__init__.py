"""Mail stores: memory, maildir, and one that fails on demand."""
