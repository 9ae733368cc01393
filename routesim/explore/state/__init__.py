"""What an explored state is made of, and what is the same in all of them."""
