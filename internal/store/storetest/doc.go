// Package storetest gives tests fresh stores on both engines: a SQLite file of
// their own, and a database of their own on a PostgreSQL server that the kit
// starts once per process, or that PORTREEVE_TEST_POSTGRES names.
package storetest
