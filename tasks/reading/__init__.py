"""Tables as they are written anywhere: files of many kinds, buckets, packages."""
