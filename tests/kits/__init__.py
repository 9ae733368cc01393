"""What tests share: languages to write them in, processes, screens, brokers."""
