"use strict";
// The page is served while its scenario is edited: it is loaded again when there is another, and comes back to where one was.
(() => {
  const PLACE = "routesim-place";
  const source = new EventSource(`/changes${location.search}`);
  let first;
  source.addEventListener("message", (event) => {
    if (first === undefined) first = event.data;
    if (event.data === first) return;
    sessionStorage.setItem(PLACE, String(window.scrollY));
    location.reload();
  });
  const place = sessionStorage.getItem(PLACE);
  if (place !== null) requestAnimationFrame(() => window.scrollTo(0, Number(place)));
  sessionStorage.removeItem(PLACE);
})();
