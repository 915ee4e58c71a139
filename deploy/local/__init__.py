"""The whole system on one machine without containers: real Kafka, real PostgreSQL, real SMTP."""
