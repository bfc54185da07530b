/* A page that was opened from a disk may not read other pages. There the search shows the titles of
   what it found, without the lines around the words. */

"use strict";

if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
