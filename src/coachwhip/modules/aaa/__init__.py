"""Authentication, authorization and access: who may have what. Apache's shelf `modules/aaa`."""
