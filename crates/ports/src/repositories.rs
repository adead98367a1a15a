/// From one list of resources, makes [`Repositories`], its mocks, and [`TABLES`](crate::TABLES).
macro_rules! resources {
    ($($(#[$doc:meta])* $resource:ident: $Repository:ident, $Mock:ident;)*) => {
        $(pub use $resource::$Repository;)*

        /// The repositories of one database that the use cases need. Adapters return this type, and
        /// `App`, its tests and the contract suite hold it.
        #[derive(Clone)]
        pub struct Repositories {
            $($(#[$doc])* pub $resource: std::sync::Arc<dyn $Repository>,)*
            /// Records of backups and trial restores.
            pub backups: std::sync::Arc<dyn BackupLog>,
            /// Background jobs.
            pub jobs: std::sync::Arc<dyn JobQueue>,
            /// Sign-ins of staff.
            pub sign_ins: std::sync::Arc<dyn SignIns>,
            /// Invitations to choose a password.
            pub invitations: std::sync::Arc<dyn Invitations>,
            /// Canaries that have arrived.
            pub canaries: std::sync::Arc<dyn Canaries>,
            /// When leads came through the API.
            pub lead_intake: std::sync::Arc<dyn LeadIntake>,
            /// Numbers of leads by week.
            pub lead_weeks: std::sync::Arc<dyn LeadWeeks>,
            /// Health checks of the database.
            pub health: std::sync::Arc<dyn DatabaseHealth>,
            /// What modules keep.
            pub kept: Kept,
        }

        /// Mocks of all repositories, without expectations.
        #[cfg(feature = "mock")]
        #[derive(Default)]
        #[allow(missing_docs, reason = "each is the mock of the repository of its name")]
        pub struct MockRepositories {
            $(pub $resource: $resource::$Mock,)*
            pub backups: backups::MockBackupLog,
            pub jobs: jobs::MockJobQueue,
            pub sign_ins: sign_ins::MockSignIns,
            pub invitations: invitations::MockInvitations,
            pub canaries: canaries::MockCanaries,
            pub lead_intake: lead_intake::MockLeadIntake,
            pub lead_weeks: lead_weeks::MockLeadWeeks,
            pub health: health::MockDatabaseHealth,
            pub kept: Kept,
        }

        #[cfg(feature = "mock")]
        impl From<MockRepositories> for Repositories {
            fn from(mocks: MockRepositories) -> Self {
                Self {
                    $($resource: std::sync::Arc::new(mocks.$resource),)*
                    backups: std::sync::Arc::new(mocks.backups),
                    jobs: std::sync::Arc::new(mocks.jobs),
                    sign_ins: std::sync::Arc::new(mocks.sign_ins),
                    invitations: std::sync::Arc::new(mocks.invitations),
                    canaries: std::sync::Arc::new(mocks.canaries),
                    lead_intake: std::sync::Arc::new(mocks.lead_intake),
                    lead_weeks: std::sync::Arc::new(mocks.lead_weeks),
                    health: std::sync::Arc::new(mocks.health),
                    kept: mocks.kept,
                }
            }
        }

        /// All tables with data, ordered so that rows come after the rows that they refer to.
        /// Everything that copies a database uses this list. A test of each adapter compares it
        /// with the schema.
        pub const TABLES: &[Table] = &[
            $($resource::TABLE,)*
            tables::DJANGO_LEADS,
            tables::DJANGO_SUBSCRIBERS,
            tables::DJANGO_CLIENTS,
            tables::DJANGO_STAFF,
        ];
    };
}

pub(crate) use resources;
