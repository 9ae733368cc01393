"""What `routesim import` does, one file a way: files of other programs, programs themselves."""
