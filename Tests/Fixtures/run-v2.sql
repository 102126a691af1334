PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('v1: journal, trials, searches');
INSERT INTO grdb_migrations VALUES('v2: tags, notes, stars');
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL);
INSERT INTO meta VALUES('identity','{"arguments":{"epochs":3,"rate":0.5},"created":1795176000.0,"environment":{"nasrun":"1.0","numerics":{"fma":true}},"id":"20261120-120000-old","name":"old","parent":null,"recipe":"hill.lua","recipe_folder":"/recipes","schema":1,"seed":"18446744073709551615"}');
INSERT INTO meta VALUES('status','finished');
INSERT INTO meta VALUES('finished',1795217550.503595829);
INSERT INTO meta VALUES('active_seconds',3.0);
INSERT INTO meta VALUES('journal_rows',8);
INSERT INTO meta VALUES('journal_head','b8c409bd7fb7d8dbe14e14c382b403f2399c372de7564e9ff0e19d2327be7493');
CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL CHECK (entry IN ('effect', 'decision', 'trials')),
  search TEXT, kind TEXT NOT NULL, key TEXT NOT NULL, occurrence INTEGER NOT NULL, label TEXT NOT NULL,
  exact TEXT NOT NULL, observed TEXT NOT NULL, active_seconds REAL NOT NULL, reused INTEGER NOT NULL,
  checksum TEXT NOT NULL);
INSERT INTO journal VALUES(1,'decision','evolution','ask','',0,'','{"arch":0}','null',0.0,0,'6106c20aac1e91268315b282f994aa3dee6147b15758615c977d48575d08b07d');
INSERT INTO journal VALUES(2,'effect','evolution','train','ad2abc35400cccea2ff1bda75b65b54542dff69ac74a047413eecf5612c896ab',0,'trial 0','{"accuracy":50.0}','{"seconds":1.0}',1.0,0,'2af21ee916faef8a2badff8225f98d091d9e9b9c2d5092c50afb906627d171a6');
INSERT INTO journal VALUES(3,'decision','evolution','ask','',1,'','{"arch":1}','null',0.0,0,'3ef788009b9386008214cd9a7db7f1b73cc7dd1892040e3a57ff8edc5916ef3f');
INSERT INTO journal VALUES(4,'effect','evolution','train','35f832a241f359d86db11c29524585f87741d671e0e0bc05a5594df790e13001',0,'trial 1','{"accuracy":51.0}','{"seconds":1.0}',1.0,0,'863b6f1beba172e3c77f36c07a30920f4bfc1674c5003edf9202105eeb534fe1');
INSERT INTO journal VALUES(5,'decision','evolution','ask','',2,'','{"arch":2}','null',0.0,0,'03c0aae510ff134efade8dcdc4840ae8ce312d92aabe7b5bc2499a3fee5923a6');
INSERT INTO journal VALUES(6,'effect','evolution','train','930023ac8a4f2a8653aeaa0171a9b1c661588327eef0fa0f373aa9322a8f4cae',0,'trial 2','{"accuracy":52.0}','{"seconds":1.0}',1.0,0,'56d207a95c7da641612306366c2a54d7c2eb5e0494d96a3de0893a8ddfd30bd0');
INSERT INTO journal VALUES(7,'effect','evolution','train','9210adf06a0399bdb63dcf08d09814c04ff075b7a87af65d61bd93890f909be2',0,'trial 3','{"accuracy":53.0}','{"seconds":1.0}',1.0,0,'2678e298af599584944c11d7e50b0d5aa89d347e3b4f3c0d9f10adbaba6f49a1');
INSERT INTO journal VALUES(8,'trials','evolution','','',4,'1 trials','null','null',0.0,0,'b8c409bd7fb7d8dbe14e14c382b403f2399c372de7564e9ff0e19d2327be7493');
CREATE TABLE search (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, objectives TEXT NOT NULL, planned INTEGER,
  stop_reason TEXT, details TEXT NOT NULL);
INSERT INTO search VALUES(1,'evolution','[{"direction":"max","name":"accuracy"}]',10,NULL,'null');
CREATE TABLE trial (
  id INTEGER PRIMARY KEY, entry INTEGER, search TEXT NOT NULL, number INTEGER NOT NULL,
  architecture TEXT NOT NULL, decisions TEXT NOT NULL, budget TEXT NOT NULL, repetition INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'ok', 'failed')), failure TEXT, failed_at TEXT,
  started REAL NOT NULL, finished REAL, UNIQUE (search, number));
INSERT INTO trial VALUES(1,2,'evolution',0,'arch0','{"op":"conv3"}','{"epochs":3}',0,'ok',NULL,NULL,0.0,1.0);
INSERT INTO trial VALUES(2,4,'evolution',1,'arch1','{"op":"conv3"}','{"epochs":3}',0,'ok',NULL,NULL,1.0,2.0);
INSERT INTO trial VALUES(3,6,'evolution',2,'arch2','{"op":"conv3"}','{"epochs":3}',0,'ok',NULL,NULL,2.0,3.0);
INSERT INTO trial VALUES(4,7,'evolution',3,'arch3','{"op":"conv3"}','{"epochs":3}',0,'failed','loss is NaN after epoch 2','hill.lua:12',3.0,4.0);
INSERT INTO trial VALUES(5,8,'evolution',4,'arch4','{"op":"conv3"}','{"epochs":3}',0,'ok',NULL,NULL,4.0,5.0);
CREATE TABLE metric (
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial (id) ON DELETE CASCADE, name TEXT NOT NULL,
  epoch INTEGER, value REAL, kind TEXT NOT NULL CHECK (kind IN ('finite', 'nan', 'inf', '-inf')),
  exact INTEGER NOT NULL);
INSERT INTO metric VALUES(1,1,'loss',1,1.0,'finite',1);
INSERT INTO metric VALUES(2,1,'accuracy',NULL,50.0,'finite',1);
INSERT INTO metric VALUES(3,1,'latency_ms',NULL,1.0,'finite',0);
INSERT INTO metric VALUES(4,2,'loss',1,0.5,'finite',1);
INSERT INTO metric VALUES(5,2,'accuracy',NULL,51.0,'finite',1);
INSERT INTO metric VALUES(6,2,'latency_ms',NULL,1.0,'finite',0);
INSERT INTO metric VALUES(7,3,'loss',1,0.33333333333333331482,'finite',1);
INSERT INTO metric VALUES(8,3,'accuracy',NULL,52.0,'finite',1);
INSERT INTO metric VALUES(9,3,'latency_ms',NULL,1.0,'finite',0);
INSERT INTO metric VALUES(10,4,'accuracy',NULL,NULL,'nan',1);
INSERT INTO metric VALUES(11,4,'loss',NULL,NULL,'inf',1);
INSERT INTO metric VALUES(12,5,'loss',1,0.2000000000000000111,'finite',1);
INSERT INTO metric VALUES(13,5,'accuracy',NULL,54.0,'finite',1);
INSERT INTO metric VALUES(14,5,'latency_ms',NULL,1.0,'finite',0);
CREATE TABLE event (id INTEGER PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
INSERT INTO event VALUES(1,1795217550.4950845241,'print','hello');
CREATE TABLE source (path TEXT PRIMARY KEY, digest TEXT NOT NULL);
INSERT INTO source VALUES('recipe.lua','6d650615aa36f977e5cdd99e360a604552a98a1f8d86949e22e1aa5ce4eb41cd');
CREATE TABLE mark (
  kind TEXT NOT NULL CHECK (kind IN ('tag', 'note', 'star')), text TEXT NOT NULL, PRIMARY KEY (kind, text));
INSERT INTO mark VALUES('tag','demo');
INSERT INTO mark VALUES('tag','good');
INSERT INTO mark VALUES('note','the one for the paper');
INSERT INTO mark VALUES('star','');
CREATE UNIQUE INDEX effect_content ON journal (kind, key, occurrence) WHERE entry = 'effect';
CREATE UNIQUE INDEX decision_request ON journal (search, kind, occurrence) WHERE entry = 'decision';
CREATE VIEW effect AS SELECT sequence, search, kind, key, occurrence, label, exact, observed, active_seconds, reused
  FROM journal WHERE entry = 'effect';
CREATE VIEW decision AS SELECT sequence, search, kind, occurrence AS request, exact AS value
  FROM journal WHERE entry = 'decision';
CREATE INDEX trial_entry ON trial (entry);
CREATE INDEX metric_trial ON metric (trial);
CREATE INDEX metric_final ON metric (name, value, trial) WHERE epoch IS NULL;
COMMIT;
