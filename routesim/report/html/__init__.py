"""A run as one HTML page that needs nothing but itself: what is static is made here, `page.js` only replays it."""
