-- drops meetings
DROP TABLE meetings;
