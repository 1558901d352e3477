"""The mail: messages that anybody can make again from their seed, and Maildirs full of them."""
