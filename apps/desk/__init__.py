"""Home page, farm page, live fragments: reads everything, owns nothing."""
