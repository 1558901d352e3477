"""Bearer tokens of OAuth 2.0: whose they are, told by their signature or by who issued them."""
