-- drops staff
DROP TABLE staff;
