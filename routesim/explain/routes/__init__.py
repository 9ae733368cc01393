"""Why a route is as it is: what each binding says of a key, how topics and types match, what people mistake."""
