"use strict";
// Before there is anything to draw: what will not be seen first need not be laid out. Whatever becomes of the other scripts, all is
// seen when the page is there.
document.documentElement.classList.add("starting");
document.addEventListener("DOMContentLoaded", () => document.documentElement.classList.remove("starting"));
