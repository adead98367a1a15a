-- drops jobs
DROP TABLE schedules;
DROP TABLE jobs;
