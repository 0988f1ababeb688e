/* searches: how much of a search by chance is done under ASan, which takes ten times as long: one
 * part of so many. The release build's tests, which `sh tests/run.sh interop` runs, do the whole.
 */
#ifndef FAKES_SEARCHES_H
#define FAKES_SEARCHES_H

#ifdef __SANITIZE_ADDRESS__
enum { SEARCH_PARTS = 4 };
#else
enum { SEARCH_PARTS = 1 };
#endif

#endif
